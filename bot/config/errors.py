"""What is wrong with a configuration, in one line that says where, what, and what to do about it."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

KeyPath = tuple[str | int, ...]
"""Where a key stands: `("connections", "support", "pace", "gap")`, with an index (from 0) inside lists."""

_LONGEST_SHOWN = 32
_SLACK_TOKEN = re.compile(r"\b(?:xox[a-z]+[-.]|xapp-)")


class ConfigurationError(Exception):
    """The configuration cannot be used; the message is one line for the person who wrote it, without secrets."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: the file or environment variable, the key, and words that follow the key's name."""

    source: str
    key: str
    text: str

    def __str__(self) -> str:
        return f"{self.source}: {self.key} {self.text}"


def refusal(problems: Sequence[Problem]) -> ConfigurationError:
    """Make the error that reports the first of `problems` and counts the others."""
    others = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return ConfigurationError(f"{problems[0]}{others}")


def dotted(path: KeyPath) -> str:
    """Write a path as TOML does, with indices: `approvals[0].approvers[1]`, `groups."launch team".id`."""
    written = (f"[{part}]" if isinstance(part, int) else f".{_key(part)}" for part in path)
    return "".join(written).removeprefix(".")


def _key(part: str) -> str:
    return part if re.fullmatch(r"[\w.-]+", part) else json.dumps(part)


def variable_name(path: KeyPath) -> str:
    """Give the environment variable that sets a key: `ROLLCALL_CONNECTIONS__US_WEST__TOKEN`."""
    return "ROLLCALL_" + "__".join(plain(str(part)).upper() for part in path)


def plain(name: str) -> str:
    """Write a name as an environment variable can hold it, in lower case: `us-west` becomes `us_west`."""
    return re.sub(r"\W", "_", name).lower()


def shown(value: object) -> str:
    """Quote a value for a message; one that is long, or looks like a Slack token, may be a secret and stays hidden."""
    text = str(value)
    return "(hidden)" if len(text) > _LONGEST_SHOWN or is_slack_token(text) else repr(text)


def is_slack_token(text: str) -> bool:
    """Tell whether a Slack token stands in `text` (`xoxb-…`, `xapp-…` and their kin)."""
    return _SLACK_TOKEN.search(text) is not None


def guidance(word: str, known: Iterable[str]) -> str:
    """Say which of the `known` words was probably meant, or list them."""
    words = sorted(known)
    nearest = get_close_matches(word, words, n=1, cutoff=0.7)
    if nearest:
        return f"did you mean {nearest[0]!r}?"
    return f"known: {', '.join(words)}" if words else "there is none yet"
