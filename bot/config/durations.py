"""Durations as people write them in the configuration: `5s`, `90m`, `1h30m`, `7d`, `0`."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator

from bot.config.errors import shown

_WRITTEN = re.compile(r"(?:([0-9]+)d)?(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?")
_FORMS = 'write it like "5s", "90m", "1h30m", "24h" or "7d"'


def parse_duration(written: object) -> timedelta:
    """Read days, hours, minutes and seconds, the largest unit first; a bare number is only `0`.

    Raises `ValueError`, with words that follow the name of a key.

    >>> parse_duration("1h30m")
    datetime.timedelta(seconds=5400)
    """
    if isinstance(written, timedelta):
        return written
    if written in (0, "0") and not isinstance(written, bool):
        return timedelta()
    match = _WRITTEN.fullmatch(written.strip()) if isinstance(written, str) else None
    if match is None or not match[0]:
        raise ValueError(f"is {shown(written)}, which is no duration; {_FORMS}")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    try:
        return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError:
        raise ValueError(f"is {shown(written)}, which is too long; {_FORMS}") from None


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
"""A `timedelta` that the configuration writes as `parse_duration` reads it."""
