"""A Slack workspace that answers as Slack does, and refuses what Slack refuses."""
