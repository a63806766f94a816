"""The values of a typed command's options, from what people write; None for what is none of them."""

import difflib
import re
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta, tzinfo

MAX_DELAY = timedelta(days=366)
"""How far ahead a request may be put off."""
MAX_TEXT = 3000
"""Characters of a text that somebody writes for WhatsApp, typed or in a form: Slack lets no more be typed into a field
(docs.slack.dev, "Plain-text input"), and the providers that name a limit take 4,096 (WA.cr `sendTextMessage`, WUTS
`sendText`), so that what stands before an invite's link fits too."""
_YES = frozenset({"yes", "y", "on", "true"})
_NO = frozenset({"no", "n", "off", "false"})
_DAY = timedelta(days=1)
_EPHEMERAL = {"off": 0, "0": 0, "no": 0, "24h": 86_400, "1d": 86_400, "7d": 7 * 86_400, "90d": 90 * 86_400}
"""Seconds; WhatsApp knows no other time after which messages disappear (WhatsApp Help Center, "About disappearing
messages")."""
_MOMENT = re.compile(
    r"(?P<day>\d{4}-\d{1,2}-\d{1,2})(?:[T\s]+(?P<time>\d{1,2}[:.]\d{2}))?\s*(?P<zone>Z|UTC|[+-]\d{2}:?\d{2})?",
    re.IGNORECASE,
)


def parse_switch(text: str) -> bool | None:
    """Read yes or no, on or off."""
    word = text.casefold()
    return True if word in _YES else False if word in _NO else None


def parse_ephemeral(text: str) -> int | None:
    """Read after how long messages disappear, in seconds; 0: they stay.

    >>> ephemeral("7 d")
    604800
    """
    return _EPHEMERAL.get("".join(text.casefold().split()))


def parse_time(text: str, zone: tzinfo, *, whole_day: bool = False) -> datetime | None:
    """Read a moment: `2026-12-01 09:00`, by `zone` where it names none; a day alone is its midnight.

    Args:
        text: what was typed.
        zone: the time zone of who typed it.
        whole_day: a day alone is to mean its end.

    >>> moment("2026-12-01 9:00 +01:00", UTC)
    datetime.datetime(2026, 12, 1, 8, 0, tzinfo=datetime.timezone.utc)
    """
    read = _MOMENT.fullmatch(text.strip())
    if not read:
        return None
    try:
        year, month, day = map(int, read["day"].split("-"))
        hour, minute = map(int, re.split("[:.]", read["time"])) if read["time"] else (0, 0)
        at = datetime.combine(datetime(year, month, day), time(hour, minute), tzinfo=_zone(read["zone"], zone))  # noqa: DTZ001
        at += _DAY if whole_day and not read["time"] else timedelta()
        return at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _zone(written: str | None, zone: tzinfo) -> tzinfo:
    if not written:
        return zone
    return UTC if written.casefold() in {"z", "utc"} else datetime.strptime(written, "%z").tzinfo or UTC


def nearest(word: str, known: Iterable[str], *, alike: float = 0.6) -> str:
    """Give the known word that looks most like one; empty where none does. Case does not count.

    >>> nearest("Mirorr", ["add", "mirror", "report"])
    'mirror'
    """
    by_fold = {name.casefold(): name for name in known}
    found = difflib.get_close_matches(word.casefold(), by_fold, n=1, cutoff=alike)
    return by_fold[found[0]] if found else ""


def did_you_mean(word: str, known: Iterable[str], *, alike: float = 0.6, then: str = "") -> str:
    """Ask for the nearest word, as a sentence that follows another; `then` is written behind it. Empty where none is.

    >>> did_you_mean("anounce", ["announce", "lock"], then=":")
    ' Did you mean `announce:`?'
    """
    near = nearest(word, known, alike=alike)
    return f" Did you mean `{near}{then}`?" if near else ""
