"""Reads phone numbers from files and messages. Pure functions of bytes and text: no Slack, no HTTP."""
