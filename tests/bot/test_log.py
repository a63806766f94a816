import pytest
import structlog

from bot.log import redact

LOGGER = structlog.get_logger()


def redacted(text: str) -> str:
    return str(redact(LOGGER, "info", {"event": text})["event"])


@pytest.mark.parametrize(
    "phone",
    [
        "+14155550100",
        "14155550100",
        "+1 415 555 0100",
        "+1 (415) 555-0100",
        "(415) 555-0100",
        "%2B14155550100",
        "0044 7700 900123",
        "14155550100@s.whatsapp.net",
    ],
)
def test_a_phone_is_redacted_in_every_form(phone: str) -> None:
    text = redacted(f"no answer about {phone}, sorry")

    assert "•••" in text
    assert "0100" not in text
    assert "0123" not in text


@pytest.mark.parametrize(
    "secret", ["xoxb-12345-abcdef", "xapp-1-A0-secret", "Bearer abcdef123456", "wss://host/link?ticket=abcdef12"]
)
def test_a_secret_is_redacted(secret: str) -> None:
    text = redacted(f"refused: {secret}")

    assert "•••" in text
    assert not any(piece in text for piece in ("abcdef", "secret"))


@pytest.mark.parametrize("harmless", ["2026-11-21T08:55:01Z", "line 12", "http://127.0.0.1:37911", "RAE7O4RLYYKCO6BWB"])
def test_what_is_no_phone_stays_readable(harmless: str) -> None:
    assert redacted(f"at {harmless}.") == f"at {harmless}."
