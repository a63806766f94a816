"""What Rollcall reads from Slack: user groups, profiles, time zones, channels, permalinks, files."""
