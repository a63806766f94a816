from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands.values import parse_ephemeral, parse_switch, parse_time

LONDON, NEW_YORK = ZoneInfo("Europe/London"), ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("text", "zone", "utc"),
    [
        ("2026-12-01 09:00", NEW_YORK, "2026-12-01 14:00"),
        ("2026-07-01 09:00", LONDON, "2026-07-01 08:00"),
        ("2026-12-01T9:05", UTC, "2026-12-01 09:05"),
        ("2026-12-1  9.05", UTC, "2026-12-01 09:05"),
        ("2026-12-01", NEW_YORK, "2026-12-01 05:00"),
        ("2026-12-01 09:00Z", NEW_YORK, "2026-12-01 09:00"),
        ("2026-12-01 09:00 utc", NEW_YORK, "2026-12-01 09:00"),
        ("2026-12-01 09:00 +05:30", NEW_YORK, "2026-12-01 03:30"),
        ("2026-12-01 09:00 -0500", LONDON, "2026-12-01 14:00"),
        ("2026-03-29 01:30", LONDON, "2026-03-29 01:30"),
    ],
)
def test_a_moment_is_read_in_the_zone_of_who_writes_it(text: str, zone: ZoneInfo, utc: str) -> None:
    assert parse_time(text, zone) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


def test_a_day_alone_is_its_midnight_or_its_end() -> None:
    assert parse_time("2026-11-01", NEW_YORK, whole_day=True) == datetime(2026, 11, 2, 5, tzinfo=UTC)
    assert parse_time("2026-11-01 09:00", UTC, whole_day=True) == datetime(2026, 11, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "noon",
        "09:00",
        "2026-13-01",
        "2026-02-30",
        "2026-12-01 25:00",
        "2026-12-01 09:00 +99:99",
        "12/01/2026",
        "x 2026-12-01",
    ],
)
def test_what_is_no_moment_is_none(text: str) -> None:
    assert parse_time(text, UTC) is None


@given(
    st.one_of(st.text(), st.from_regex(r"\A\d{4}-\d{1,2}-\d{1,2}( \d{1,2}:\d\d)?( ?[+-]\d\d:?\d\d)?\Z")), st.booleans()
)
def test_any_text_is_a_moment_in_utc_or_none(text: str, whole_day: bool) -> None:
    at = parse_time(text, NEW_YORK, whole_day=whole_day)
    assert at is None or at.tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "value"), [("Yes", True), ("on", True), ("NO", False), ("off", False), ("", None), ("maybe", None)]
)
def test_yes_and_no_are_read(text: str, value: bool | None) -> None:
    assert parse_switch(text) is value


@pytest.mark.parametrize(
    ("text", "seconds"), [("off", 0), ("24h", 86_400), ("7 D", 604_800), ("90d", 7_776_000), ("2d", None), ("", None)]
)
def test_the_times_after_which_messages_disappear_are_those_of_whatsapp(text: str, seconds: int | None) -> None:
    assert parse_ephemeral(text) == seconds
