"""The Home tab: what it shows to a person, when it is drawn, and its buttons."""
