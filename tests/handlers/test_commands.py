"""What people type, and what they are told: one running bot for all of it, each test with its own words."""
