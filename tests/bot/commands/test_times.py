"""The start of a request as people write it."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.commands.times import InvalidTime, describe, parse_start
from bot.commands.values import MAX_DELAY

BERLIN, NEW_YORK, KOLKATA = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York"), ZoneInfo("Asia/Kolkata")
NOW = datetime(2026, 12, 1, 11, 0, 30, 250_000, tzinfo=UTC)
"""Tuesday, 12:00:30 in Berlin."""
ZONES = st.sampled_from(
    [UTC, BERLIN, NEW_YORK, KOLKATA, ZoneInfo("Australia/Lord_Howe"), ZoneInfo("America/Sao_Paulo")]
)
TIMES = st.integers(0, 1000 * 86_400).map(lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))
CLOCKS = st.tuples(st.integers(0, 23), st.integers(0, 59))


def start(text: str, zone: ZoneInfo = BERLIN, now: datetime = NOW) -> str:
    return f"{parse_start(text, zone, now).astimezone(zone):%a %Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("tomorrow 9am", "Wed 2026-12-02 09:00"),
        ("Tomorrow at 9:30 PM", "Wed 2026-12-02 21:30"),
        ("9am tomorrow", "Wed 2026-12-02 09:00"),
        ("tomorrow noon", "Wed 2026-12-02 12:00"),
        ("tomorrow 0:15", "Wed 2026-12-02 00:15"),
        ("tomorrow 12am", "Wed 2026-12-02 00:00"),
        ("tomorrow 12pm", "Wed 2026-12-02 12:00"),
        ("the day after tomorrow, 9 a.m.", "Thu 2026-12-03 09:00"),
        ("in 2h", "Tue 2026-12-01 14:00"),
        ("in 2 hours", "Tue 2026-12-01 14:00"),
        ("in an hour and 30 minutes", "Tue 2026-12-01 13:30"),
        ("1h30m", "Tue 2026-12-01 13:30"),
        ("in 90 min", "Tue 2026-12-01 13:30"),
        ("in 3 days", "Fri 2026-12-04 12:00"),
        ("in 2 weeks at 9am", "Tue 2026-12-15 09:00"),
        ("18:00", "Tue 2026-12-01 18:00"),
        ("at 6pm", "Tue 2026-12-01 18:00"),
        ("today 17.30", "Tue 2026-12-01 17:30"),
        ("Mon 14:00", "Mon 2026-12-07 14:00"),
        ("on Monday at 2pm", "Mon 2026-12-07 14:00"),
        ("next Mon 9am", "Mon 2026-12-07 09:00"),
        ("Tues 18:00", "Tue 2026-12-01 18:00"),
        ("next Tuesday 9am", "Tue 2026-12-08 09:00"),
        ("this Fri 9am", "Fri 2026-12-04 09:00"),
        ("5 Dec 9am", "Sat 2026-12-05 09:00"),
        ("Dec 5th at 9:00", "Sat 2026-12-05 09:00"),
        ("Sat, 5 December 2026, 9:00", "Sat 2026-12-05 09:00"),
        ("1 Dec 15:00", "Tue 2026-12-01 15:00"),
        ("Sept 5 9:00", "Sun 2027-09-05 09:00"),
        ("25/12 9:00", "Fri 2026-12-25 09:00"),
        ("25.12.2026 9:00", "Fri 2026-12-25 09:00"),
        ("2026-12-05 09:00", "Sat 2026-12-05 09:00"),
        ("2026-12-05 09:00Z", "Sat 2026-12-05 10:00"),
        ("2026-12-05 9:00 +05:30", "Sat 2026-12-05 04:30"),
        ("2026-12-05", "Sat 2026-12-05 00:00"),
        ("2027-10-31 02:30+01:00", "Sun 2027-10-31 02:30"),
    ],
)
def test_what_people_write_is_understood(text: str, at: str) -> None:
    assert start(text) == at


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("soon", "isn't a valid date and time"),
        ("", "isn't a valid date and time"),
        ("tomorow 9am", "isn't a valid date and time"),
        ("31 Feb 9:00", "isn't a valid date and time"),
        ("2026-02-31 9:00", "isn't a valid date and time"),
        ("2026-13-01 09:00", "isn't a valid date and time"),
        ("13/13 9:00", "isn't a valid date and time"),
        ("9am EST", "isn't a valid date and time"),
        ("Mon Tue 9am", "isn't a valid date and time"),
        ("9.30", "isn't a valid date and time"),
        ("tomorrow", "has no clear time of day"),
        ("Monday", "has no clear time of day"),
        ("5 Dec", "has no clear time of day"),
        ("tomorrow at 9", "has no clear time of day"),
        ("9", "has no clear time of day"),
        ("13pm", "has no clear time of day"),
        ("tomorrow 25:00", "has no clear time of day"),
        ("tomorrow 9am tomorrow", "isn't a valid date and time"),
        ("05/12 9:00", "“05/12” could be two dates"),
        ("5.12.2026 9:00", "“5.12.2026” could be two dates"),
        ("next Fri 9am", "“next fri” could be Fri 4 Dec or Fri 11 Dec"),
        ("Mon 5 Dec 9:00", "Sat 5 Dec 2026 isn't a Mon"),
        ("9am", "Tue 1 Dec 2026, 09:00 (Europe/Berlin) is in the past. Write “tomorrow” before the time"),
        ("Tue 9:00", "is in the past. For next week, write “next Tue”"),
        ("2026-12-01 09:00", "Tue 1 Dec 2026, 09:00 (Europe/Berlin) is in the past"),
        ("1 Dec 9:00", "Tue 1 Dec 2026, 09:00 (Europe/Berlin) is in the past"),
        ("30 Nov 9:00", "“30 nov” has passed this year. Add the year if you mean 2027"),
        ("this Mon 9am", "This week's Monday is in the past"),
        ("yesterday 9am", "“yesterday 9am” is in the past"),
        ("1 hour ago", "“1 hour ago” is in the past"),
        ("in 0 minutes", "is in the past"),
        ("in 400 days", "is more than a year away"),
        ("9999-12-31 23:59", "is more than a year away"),
        ("2027-03-28 02:30", "02:30 doesn't exist on Sun 28 Mar 2027 (Europe/Berlin): the clocks go forward"),
        ("28 March 2027 2:30", "02:30 doesn't exist on Sun 28 Mar 2027"),
        (
            "31 Oct 2027 2:30",
            "comes twice on Sun 31 Oct 2027 (Europe/Berlin): the clocks go back. Write “2027-10-31 02:30+02:00” or",
        ),
    ],
)
def test_a_time_that_is_unclear_or_past_is_refused(text: str, problem: str) -> None:
    with pytest.raises(InvalidTime) as refused:
        parse_start(text, BERLIN, NOW)
    assert problem in str(refused.value)


def test_hours_elapse_and_days_keep_the_clock_when_the_clocks_change() -> None:
    before = datetime(2027, 3, 27, 9, 0, tzinfo=BERLIN)

    assert start("in 24h", now=before) == "Sun 2027-03-28 10:00"
    assert start("in 1 day", now=before) == "Sun 2027-03-28 09:00"


@given(TIMES, ZONES, st.integers(1, 5000))
def test_a_delay_in_minutes_is_exact_in_every_zone(now: datetime, zone: ZoneInfo, minutes: int) -> None:
    elapsed = parse_start(f"in {minutes} minutes", zone, now) - now.replace(microsecond=0)
    assert elapsed == timedelta(minutes=minutes)


@given(TIMES, ZONES, CLOCKS)
def test_a_named_day_is_never_another_day(now: datetime, zone: ZoneInfo, clock: tuple[int, int]) -> None:
    """Whatever is understood is the day and the time that were written; anything else is refused."""
    hour, minute = clock
    local = now.astimezone(zone)
    for offset, words in enumerate(("today", "tomorrow", "the day after tomorrow")):
        try:
            at = parse_start(f"{words} {hour}:{minute:02}", zone, now).astimezone(zone)
        except InvalidTime:
            continue
        assert (at.date(), at.hour, at.minute) == (local.date() + timedelta(offset), hour, minute)


@given(TIMES, ZONES, st.integers(0, 300), CLOCKS, st.sampled_from(["%Y-%m-%d", "%d %b", "%B %d", "%a %d %b", "%a"]))
@example(datetime(2027, 2, 28, 12, tzinfo=UTC), UTC, 1, (9, 0), "%d %b")
def test_a_date_is_the_one_that_was_written(
    now: datetime, zone: ZoneInfo, ahead: int, clock: tuple[int, int], form: str
) -> None:
    day = (now.astimezone(zone) + timedelta(ahead % 7 if form == "%a" else ahead)).date()
    try:
        at = parse_start(f"{day:{form}} {clock[0]}:{clock[1]:02}", zone, now).astimezone(zone)
    except InvalidTime as refused:
        text = str(refused)
        assert any(part in text for part in ("is in the past", "doesn't exist", "comes twice"))
    else:
        assert (at.date(), at.hour, at.minute) == (day, *clock)


WORDS = st.lists(
    st.from_regex(
        r"in|at|on|next|this|today|tomorrow|mon|friday|5|12|9|9am|9:00|25:00|dec|5th|may|2026|5/12|25\.12\.|2h|3|days|week|"
        r"an|hour|and|noon|pm|utc|2026-12-05|99|31|feb",
        fullmatch=True,
    ),
    max_size=6,
).map(" ".join)


@given(st.one_of(WORDS, st.text(max_size=40)), ZONES, TIMES)
def test_any_text_is_a_time_within_a_year_or_a_sentence(text: str, zone: ZoneInfo, now: datetime) -> None:
    with suppress(InvalidTime):
        at = parse_start(text, zone, now)
        assert at.utcoffset() == timedelta()
        assert now < at <= now + MAX_DELAY
        assert describe(at, zone)
