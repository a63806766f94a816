"""Starts and wires the application: settings, the durable runtime, the domain, and the one path of a request."""
