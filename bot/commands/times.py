"""Parsing the start of a request as people write it: `tomorrow 9am`, `in 2h`, `Mon 14:00`, `2026-12-01 09:00`.

dateparser reads the words. It also guesses: `tomorrow at 9` is noon to it, `5/12` is in May, and `13/13` is in 2113. So
the shape of a text is checked first, and a text with two readings is refused.
"""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo

from dateparser.date import DateDataParser

from bot.commands.values import MAX_DELAY, parse_time

_EXAMPLES = "Write “tomorrow 9am”, “in 2h”, “Mon 14:00” or “2026-12-01 09:00”."
_MAX_DAYS_WITHOUT_YEAR = 300
"""A date without a year that is further away has probably just passed."""
_MAX_SHOWN = 60
_CLOCK = r"(?P<hour>\d{1,2})(?:[:.](?P<minute>\d\d))?\s*(?P<half>[ap]\.?m\.?)?|(?P<noon>noon|midday)"
_CLOCK_LAST = re.compile(rf"(?:at\s+|(?P<day>.+?)(?:\s+at)?\s+)?(?:{_CLOCK})")
_CLOCK_FIRST = re.compile(rf"(?:at\s+)?(?:{_CLOCK})\s+(?P<day>.+)")
_ISO = re.compile(r"\d{4}-.*")
_COUNTED = r"(?:\d{1,4}|an?)\s*"
_DELAY = re.compile(
    rf"(?:in\s+)?(?:{_COUNTED}(?:d|days?|weeks?|h|hrs?|hours?|m|mins?|minutes?)\s*(?:and\s+)?)+(?<!and )"
)
_DAYS = re.compile(rf"(?:in\s+)?{_COUNTED}(?:d|days?|weeks?)")
_WEEKDAY = r"(?:mon(?:day)?|tue(?:s|sday)?|wed(?:s|nesday)?|thu(?:r|rs|rsday)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?)"
_MONTH = (
    r"(?:of\s+)?(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DAY = r"(?P<number>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?:\s+(?P<year>\d{4}))?"
_DATE_SHAPES = (
    re.compile(rf"(?:(?P<weekday>{_WEEKDAY})\s+)?{_DAY}\s+{_MONTH}{_YEAR}"),
    re.compile(rf"(?:(?P<weekday>{_WEEKDAY})\s+)?{_MONTH}\s+{_DAY}{_YEAR}"),
)
_NUMERIC = re.compile(r"(?P<first>\d{1,2})[/.](?P<second>\d{1,2})(?:[/.](?P<year>\d{4})?)?")
_WEEKDAY_ALONE = re.compile(rf"(?:(?P<which>on|this|next)\s+)?(?P<weekday>{_WEEKDAY})")
_RELATIVE = frozenset({"today", "tomorrow", "day after tomorrow", "the day after tomorrow"})
_PAST = re.compile(r"\b(?:ago|last|yesterday)\b")
_WEEK = 7


class InvalidTime(ValueError):
    """A text that isn't a start. The message is a sentence for people, without markup."""


def parse_start(text: str, zone: tzinfo, now: datetime) -> datetime:
    """Parse when a request starts.

    Args:
        text: the text as typed.
        zone: the time zone of the person.
        now: the current time, aware.

    Returns:
        The time in UTC, after `now`.

    Raises:
        InvalidTime: it isn't a date and time, has two readings, doesn't exist (clocks go forward), is in the past or
            more than `MAX_DELAY` away.

    >>> parse_start("Mon 14:00", UTC, datetime(2026, 12, 1, tzinfo=UTC))
    datetime.datetime(2026, 12, 7, 14, 0, tzinfo=datetime.timezone.utc)
    """
    written = " ".join(text.replace(",", " ").split()).casefold()
    if _PAST.search(written):
        raise InvalidTime(f"“{_shown(text)}” is in the past. Choose a later time.")
    if _ISO.fullmatch(written):
        at, hint = _parse_iso(text, written, zone), ""
    elif _DELAY.fullmatch(written):
        at, hint = _parse_delay(text, written, zone, now), ""
    else:
        at, hint = _parse_day_and_clock(text, written, zone, now)
    if at <= now:
        raise InvalidTime(f"{describe(at, zone)} is in the past.{hint or ' Choose a later time.'}")
    if at > now + MAX_DELAY:
        raise InvalidTime(f"{describe(at, zone)} is more than a year away. Choose an earlier time.")
    return at


def describe(at: datetime, zone: tzinfo) -> str:
    """Return a time in a zone in plain text: `Tue 1 Dec 2026, 09:00 (Europe/Berlin)`."""
    local = at.astimezone(zone)
    return f"{_day_name(local.date())} {local.year}, {local:%H:%M} ({zone})"


def _parse_iso(text: str, written: str, zone: tzinfo) -> datetime:
    local, elsewhere = parse_time(written, UTC), parse_time(written, timezone(timedelta(hours=1)))
    if local is None:
        raise _invalid(text)
    has_own_zone = local == elsewhere
    return local if has_own_zone else _resolve(local.date(), local.time(), zone)


def _parse_delay(text: str, written: str, zone: tzinfo, now: datetime) -> datetime:
    """Parse a delay. Hours and minutes elapse; days and weeks keep the time on the clock."""
    now = now.replace(microsecond=0)
    if not _DAYS.fullmatch(written):
        return _read(text, written, now.astimezone(UTC).replace(tzinfo=None)).replace(tzinfo=UTC)
    local = _read(text, written, now.astimezone(zone).replace(tzinfo=None))
    return _resolve(local.date(), local.time(), zone)


def _parse_day_and_clock(text: str, written: str, zone: tzinfo, now: datetime) -> tuple[datetime, str]:
    """Parse a day and a time of day; return also what to write instead if it is in the past."""
    match = _CLOCK_LAST.fullmatch(written)
    if match is None or _clock(match) is None:
        match = _CLOCK_FIRST.fullmatch(written) or match
    clock = _clock(match) if match else None
    today = now.astimezone(zone).date()
    if match is None or clock is None:
        days = [written, match["day"] or "today"] if match else [written]
        if all(_parse_day(text, day, today) is None for day in days):
            raise _invalid(text)
        raise InvalidTime(f"“{_shown(text)}” has no clear time of day. Write it as in “tomorrow 9am” or “Mon 14:00”.")
    written_day = match["day"]
    if not written_day:
        if "." in match[0] and not match["half"]:
            raise _invalid(text)  # 5.12 may be a date
        return _resolve(today, clock, zone), " Write “tomorrow” before the time, or choose a later one."
    day = _parse_day(text, written_day, today)
    if day is None:
        raise _invalid(text)
    weekday = _WEEKDAY_ALONE.fullmatch(written_day)
    return _resolve(day, clock, zone), f" For next week, write “next {weekday['weekday'].title()}”." if weekday else ""


def _clock(match: re.Match[str]) -> time | None:
    """Return the time of day; None if it has none, or only an hour that may be morning or evening."""
    if match["noon"]:
        return time(12)
    hour, minute = int(match["hour"]), int(match["minute"] or 0)
    if match["half"]:
        hour = hour % 12 + 12 * match["half"].startswith("p") if 1 <= hour <= 12 else 24  # noqa: PLR2004 - the clock
    elif not match["minute"]:
        return None
    try:
        return time(hour, minute)
    except ValueError:
        return None


def _parse_day(text: str, day: str, today: date) -> date | None:
    """Return the day of a text without a time; None if it isn't one. Raises `InvalidTime` if it has two readings."""
    if day in _RELATIVE or _DAYS.fullmatch(day):
        return _read(text, day.removeprefix("the "), datetime.combine(today, time())).date()
    if weekday := _WEEKDAY_ALONE.fullmatch(day):
        return _parse_weekday(text, weekday, today)
    if numeric := _NUMERIC.fullmatch(day):
        first, second = int(numeric["first"]), int(numeric["second"])
        if first != second and max(first, second) <= 12:  # noqa: PLR2004 - months
            raise InvalidTime(f"“{_shown(day)}” could be two dates. Write “5 Dec” or “2026-12-05”.")
        if min(first, second) > 12 or not min(first, second):  # noqa: PLR2004 - months
            return None
        return _parse_date(text, day, today, has_year=bool(numeric["year"]))
    dated = next((match for shape in _DATE_SHAPES if (match := shape.fullmatch(day))), None)
    if dated is None:
        return None
    found = _parse_date(text, day, today, has_year=bool(dated["year"]))
    if dated["weekday"] and _day_name(found)[:3].casefold() != dated["weekday"][:3]:
        raise InvalidTime(f"{_day_name(found)} {found.year} isn't a {dated['weekday'][:3].title()}. Check the date.")
    return found


def _parse_weekday(text: str, weekday: re.Match[str], today: date) -> date:
    """Return the next day with this name, today included. `next` is refused if it could mean this week or the next."""
    which = weekday["which"]
    found = _read(text, weekday["weekday"][:3], _day_before(today)).date()
    if which == "this" and found.isocalendar()[:2] != today.isocalendar()[:2]:
        raise InvalidTime(f"This week's {found:%A} is in the past. Write the date.")
    if which != "next":
        return found
    if found == today:
        return found + timedelta(_WEEK)
    if found.isocalendar()[:2] == today.isocalendar()[:2]:
        later = _day_name(found + timedelta(_WEEK))
        raise InvalidTime(f"“{_shown(weekday[0])}” could be {_day_name(found)} or {later}. Write the date.")
    return found


def _parse_date(text: str, day: str, today: date, *, has_year: bool) -> date:
    found = _read(text, day, _day_before(today)).date()
    if not has_year and (found - today).days > _MAX_DAYS_WITHOUT_YEAR:
        raise InvalidTime(f"“{_shown(day)}” has passed this year. Add the year if you mean {found.year}.")
    return found


def _resolve(day: date, clock: time, zone: tzinfo) -> datetime:
    """Return the time in UTC. Raises `InvalidTime` if the clocks skip it, or show it twice."""
    local = datetime.combine(day, clock)
    try:
        first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    except OverflowError:
        raise InvalidTime(f"{day.year} is too far away. Choose an earlier time.") from None
    if first == second:
        return first
    where = f"{_day_name(day)} {day.year} ({zone})"
    if first.astimezone(zone).replace(tzinfo=None) != local:
        raise InvalidTime(f"{clock:%H:%M} doesn't exist on {where}: the clocks go forward. Choose another time.")
    either = " or ".join(f"“{local.replace(tzinfo=zone, fold=fold).isoformat(' ', 'minutes')}”" for fold in (0, 1))
    raise InvalidTime(f"{clock:%H:%M} comes twice on {where}: the clocks go back. Write {either}.")


def _read(text: str, words: str, base: datetime) -> datetime:
    """Read words with dateparser, relative to a local time. Raises `InvalidTime`."""
    settings = {
        "PREFER_DATES_FROM": "future",
        "RELATIVE_BASE": base,
        "RETURN_AS_TIMEZONE_AWARE": False,
        "PARSERS": ["relative-time", "absolute-time"],
    }
    try:
        found = DateDataParser(languages=["en"], settings=settings).get_date_data(words).date_obj
    except (OverflowError, ValueError):
        found = None
    if found is None:
        raise _invalid(text)
    return found


def _day_before(today: date) -> datetime:
    """Return the base for names of days and dates: to dateparser, the base's own day is a week or a year later."""
    return datetime.combine(today, time()) - timedelta(days=1)


def _day_name(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b}"


def _invalid(text: str) -> InvalidTime:
    return InvalidTime(f"“{_shown(text)}” isn't a valid date and time. {_EXAMPLES}")


def _shown(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MAX_SHOWN else f"{line[:_MAX_SHOWN]}…"
