"""A valid configuration, and what `load` makes of changes to it, in the working directory."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.config import ConfigurationError, Settings, load

FILE = """
[connections.support]
provider = "wasend"
account = "session-1"

[connections.us-west]
provider = "wacr"
pace = { batch = 5, gap = "5s", per_day = 500 }

[groups.launch-team]
connection = "support"
id = "120363041234567890@g.us"

[roles.operator]
members = ["U01ALICE", "S0OPERATORS"]
capabilities = ["groups:read", "send"]
groups = ["launch-*"]

[roles.lead]
members = ["U02BOB"]
capabilities = ["approve"]

[[approvals]]
operations = ["add", "remove"]
approvers = ["lead"]
min_participants = 20
expires_after = "1h30m"
remind_after = "30m"
"""
TOKENS = {
    "ROLLCALL_CONNECTIONS__SUPPORT__TOKEN": "hush-support",
    "ROLLCALL_CONNECTIONS__US_WEST__TOKEN": "hush-west",
}


def read(text: str = FILE, environ: Mapping[str, str] | None = None, **more: str) -> Settings:
    Path("rollcall.toml").write_text(text, encoding="utf-8")
    return load(None, {**(TOKENS if environ is None else environ), **more})


def refusal(text: str = FILE, environ: Mapping[str, str] | None = None, **more: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read(text, environ, **more)
    line = str(caught.value)
    assert "\n" not in line
    assert "hush" not in line
    return line


def changed(old: str, new: str) -> str:
    assert FILE.count(old) >= 1
    return FILE.replace(old, new, 1)
