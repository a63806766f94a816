"""One module for each Slack surface; `register(app, …)` hangs its listeners on the Bolt app."""
