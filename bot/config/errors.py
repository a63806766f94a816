"""Errors in the configuration: one line with the source, the key, and the remedy."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

KeyPath = tuple[str | int, ...]
"""The path of a key: `("connections", "support", "pace", "gap")`, with an index (from 0) inside lists."""

_MAX_SHOWN = 32
"""The maximum length in characters of a value that is quoted in a message."""
_SLACK_TOKEN = re.compile(r"\b(?:xox[a-z]+[-.]|xapp-)")


class ConfigurationError(Exception):
    """The configuration is invalid. The message is one line for its author, without secrets.

    Args:
        message: the message; for several errors the first one, and how many more there are.
        lines: every error as one line; empty if the message is the only one.
    """

    def __init__(self, message: str, lines: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.lines = tuple(lines) or (message,)


@dataclass(frozen=True, slots=True)
class Problem:
    """One error: the file or environment variable, the key, and a text that follows the key."""

    source: str
    key: str
    text: str

    def __str__(self) -> str:
        return f"{self.source}: {self.key} {self.text}"


def configuration_error(problems: Sequence[Problem]) -> ConfigurationError:
    """Build the error that reports the first of `problems` and counts the others."""
    others = f" (and {len(problems) - 1} more; `rollcall check` lists them)" if len(problems) > 1 else ""
    return ConfigurationError(f"{problems[0]}{others}", [str(problem) for problem in problems])


def dotted(path: KeyPath) -> str:
    """Return a path as in TOML, with indices: `approvals[0].approvers[1]`, `groups."launch team".id`."""
    written = (f"[{part}]" if isinstance(part, int) else f".{_key(part)}" for part in path)
    return "".join(written).removeprefix(".")


def _key(part: str) -> str:
    return part if re.fullmatch(r"[\w.-]+", part) else json.dumps(part)


def variable_name(path: KeyPath) -> str:
    """Return the environment variable that sets a key: `ROLLCALL_CONNECTIONS__US_WEST__TOKEN`."""
    return "ROLLCALL_" + "__".join(plain(str(part)).upper() for part in path)


def plain(name: str) -> str:
    """Return a name as it appears in an environment variable, in lower case: `us-west` becomes `us_west`."""
    return re.sub(r"\W", "_", name).lower()


def shown(value: object) -> str:
    """Quote a value for a message. A long value, or one like a Slack token, may be a secret and is hidden."""
    text = str(value)
    return "(hidden)" if len(text) > _MAX_SHOWN or is_slack_token(text) else repr(text)


def is_slack_token(text: str) -> bool:
    """Return whether `text` contains a Slack token (`xoxb-…`, `xapp-…` and similar)."""
    return _SLACK_TOKEN.search(text) is not None


def suggestion(name: str, known: Iterable[str]) -> str:
    """Suggest the nearest of the `known` names, or list them all."""
    names = sorted(known)
    nearest = get_close_matches(name, names, n=1, cutoff=0.7)
    if nearest:
        return f"did you mean {nearest[0]!r}?"
    return f"known: {', '.join(names)}" if names else "there is none yet"
