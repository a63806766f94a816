"""Slack: one module for each surface. `handlers.app` builds the Bolt app and registers every listener."""
