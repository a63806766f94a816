"""A simulated Slack workspace and simulated providers, over real HTTP and WebSocket. Imports nothing of the bot."""
