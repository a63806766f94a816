"""Parsing the values of a command's options, and suggestions for misspelt words."""

import difflib
import re
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta, tzinfo

MAX_DELAY = timedelta(days=366)
"""How far in the future a request may start."""
MAX_TEXT = 3000
"""The maximum length of a text for WhatsApp in characters. Slack allows no more in a field (docs.slack.dev, "Plain-text
input"). The providers that name a limit take 4,096 (WA.cr `sendTextMessage`, WUTS `sendText`), so a text before an
invite's link fits too."""
_YES = frozenset({"yes", "y", "on", "true"})
_NO = frozenset({"no", "n", "off", "false"})
_DAY = timedelta(days=1)
_EPHEMERAL = {"off": 0, "0": 0, "no": 0, "24h": 86_400, "1d": 86_400, "7d": 7 * 86_400, "90d": 90 * 86_400}
"""In seconds. WhatsApp has no other durations (WhatsApp Help Center, "About disappearing messages")."""
_TIME = re.compile(
    r"(?P<day>\d{4}-\d{1,2}-\d{1,2})(?:[T\s]+(?P<time>\d{1,2}[:.]\d{2}))?\s*(?P<zone>Z|UTC|[+-]\d{2}:?\d{2})?",
    re.IGNORECASE,
)


def parse_switch(text: str) -> bool | None:
    """Parse yes or no, on or off; return None for anything else."""
    word = text.casefold()
    return True if word in _YES else False if word in _NO else None


def parse_ephemeral(text: str) -> int | None:
    """Parse after how long messages disappear; return it in seconds, 0 for never, None for anything else.

    >>> parse_ephemeral("7 d")
    604800
    """
    return _EPHEMERAL.get("".join(text.casefold().split()))


def parse_time(text: str, zone: tzinfo, *, whole_day: bool = False) -> datetime | None:
    """Parse a date and time: `2026-12-01 09:00`, in `zone` if it has none; return None for anything else.

    Args:
        text: the text as typed.
        zone: the time zone of the person.
        whole_day: whether a date alone is the end of that day, instead of its midnight.

    >>> parse_time("2026-12-01 9:00 +01:00", UTC)
    datetime.datetime(2026, 12, 1, 8, 0, tzinfo=datetime.timezone.utc)
    """
    match = _TIME.fullmatch(text.strip())
    if not match:
        return None
    try:
        year, month, day = map(int, match["day"].split("-"))
        hour, minute = map(int, re.split("[:.]", match["time"])) if match["time"] else (0, 0)
        at = datetime.combine(datetime(year, month, day), time(hour, minute), tzinfo=_zone(match["zone"], zone))  # noqa: DTZ001
        at += _DAY if whole_day and not match["time"] else timedelta()
        return at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _zone(name: str | None, zone: tzinfo) -> tzinfo:
    if not name:
        return zone
    return UTC if name.casefold() in {"z", "utc"} else datetime.strptime(name, "%z").tzinfo or UTC


def nearest(word: str, known: Iterable[str], *, alike: float = 0.6) -> str:
    """Return the most similar known word, ignoring case; empty if none is similar.

    >>> nearest("Mirorr", ["add", "mirror", "report"])
    'mirror'
    """
    by_fold = {name.casefold(): name for name in known}
    matches = difflib.get_close_matches(word.casefold(), by_fold, n=1, cutoff=alike)
    return by_fold[matches[0]] if matches else ""


def did_you_mean(word: str, known: Iterable[str], *, alike: float = 0.6, then: str = "") -> str:
    """Return a question with the most similar known word, followed by `then`; empty if none is similar.

    >>> did_you_mean("anounce", ["announce", "lock"], then=":")
    ' Did you mean `announce:`?'
    """
    near = nearest(word, known, alike=alike)
    return f" Did you mean `{near}{then}`?" if near else ""
