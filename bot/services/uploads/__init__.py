"""Reads people's numbers out of files and messages. Pure functions of bytes and text: no Slack, no HTTP."""
