"""The pure part: rosters, access, approvals, requests and outcomes. No I/O, no Slack, no HTTP."""
