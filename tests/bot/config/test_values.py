from datetime import timedelta

import pytest

from bot.config.values import parse_duration


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("5s", timedelta(seconds=5)),
        ("1h", timedelta(hours=1)),
        ("24h", timedelta(days=1)),
        ("7d", timedelta(days=7)),
        ("90m", timedelta(minutes=90)),
        ("1h30m", timedelta(minutes=90)),
        ("1d2h3m4s", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        (0, timedelta()),
        ("0", timedelta()),
        (timedelta(seconds=3), timedelta(seconds=3)),
    ],
)
def test_a_duration_is_parsed(written: object, meant: timedelta) -> None:
    assert parse_duration(written) == meant


@pytest.mark.parametrize(
    "written", ["5 parsecs", "", "5", 5, "-5s", "1.5h", "30m1h", "h", "٥s", None, False, "9" * 30 + "d"]
)
def test_an_invalid_duration_is_rejected(written: object) -> None:
    with pytest.raises(ValueError, match="which is"):
        parse_duration(written)
