"""What the execution says in Slack: notifier, poster, rate limits, approver notices."""
