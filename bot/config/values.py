"""The types of the settings' values. Their error texts follow the name of the key."""

import re
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

import phonenumbers
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from bot.config.errors import shown, suggestion
from bot.domain import roster

_DURATION = re.compile(r"(?:([0-9]+)d)?(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?")
_DURATION_FORMS = 'write it like "5s", "90m", "1h30m", "24h" or "7d"'
Member = TypeVar("Member", bound=StrEnum)


def parse_duration(written: object) -> timedelta:
    """Parse days, hours, minutes and seconds, largest unit first, such as `1h30m`. `0` needs no unit.

    Raises `ValueError` with a text that follows the name of a key.

    >>> parse_duration("1h30m")
    datetime.timedelta(seconds=5400)
    """
    if isinstance(written, timedelta):
        return written
    if written in (0, "0") and not isinstance(written, bool):
        return timedelta()
    match = _DURATION.fullmatch(written.strip()) if isinstance(written, str) else None
    if match is None or not match[0]:
        raise ValueError(f"is {shown(written)}, which isn't a duration; {_DURATION_FORMS}")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    try:
        return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError:
        raise ValueError(f"is {shown(written)}, which is too long; {_DURATION_FORMS}") from None


def one_of(kind: str, enum: type[Member]) -> BeforeValidator:
    """Return a validator for the values of an enumeration; its error text suggests the nearest value."""

    def read(written: object) -> object:
        known = [member.value for member in enum]
        if written not in known:
            raise ValueError(f"is {shown(written)}, which isn't a known {kind}; {suggestion(str(written), known)}")
        return enum(str(written))

    return BeforeValidator(read)


def _http_url(written: str) -> str:
    try:
        url = urlsplit(written)
        usable = url.scheme in {"http", "https"} and bool(url.hostname) and (url.port is None or url.port > 0)
    except ValueError:
        usable = False
    if not usable:
        raise ValueError('isn\'t a web address; it begins with "https://" (or "http://") and a host')
    if url.username or url.password or url.query or url.fragment:
        raise ValueError("contains more than an address; leave out user, password, ? and #")
    return written


def _with_slash(url: str) -> str:
    return url if url.endswith("/") else f"{url}/"


def _database_url(written: str) -> str:
    path = written.removeprefix("sqlite:///")
    if path != written and path and path != ":memory:":
        return written
    try:
        if urlsplit(written).scheme == "postgresql" and written.startswith("postgresql://"):
            return written
    except ValueError:
        pass
    raise ValueError('isn\'t a database that Rollcall can use; write "sqlite:///file.db" or "postgresql://…"')


def _name(written: str) -> str:
    if not re.fullmatch(r"\w[\w.-]*", written) or "__" in written:
        raise ValueError("isn't a valid name; use letters, digits, dots, dashes and single underscores, no spaces")
    return written


def _member(written: str) -> str:
    if not re.fullmatch(r"[UWS][A-Z0-9]+", written):
        raise ValueError(
            f"is {shown(written)}, which isn't a Slack id; copy the user's (U… or W…) or the user group's (S…)"
        )
    return written


def _channel(written: str) -> str:
    if not re.fullmatch(r"[CG][A-Z0-9]+", written):
        raise ValueError(
            f"is {shown(written)}, which isn't a channel id; copy it (C… or G…) from the channel's details"
        )
    return written


def _workspace(written: str) -> str:
    if not re.fullmatch(r"[TE][A-Z0-9]+", written):
        raise ValueError(f"is {shown(written)}, which isn't a workspace id (T…) or an organisation's (E…)")
    return written


def _region(written: str) -> str:
    region = written.upper()
    if region not in phonenumbers.SUPPORTED_REGIONS:
        hint = "did you mean 'GB'?" if region == "UK" else 'write two letters, such as "GB", "US" or "BR"'
        raise ValueError(f"is {shown(written)}, which isn't an ISO 3166 country; {hint}")
    return region


def _phone(written: str) -> str:
    people = roster.parse(written).people
    if len(people) != 1 or not people[0].phone:
        raise ValueError('isn\'t a phone number; write it with + and the country code, such as "+1 415 555 0100"')
    return people[0].phone


def _secret(written: object) -> object:
    text = written.get_secret_value() if isinstance(written, SecretStr) else written
    if not isinstance(text, str) or not text.strip():
        raise ValueError("is empty; set it to the secret itself, or remove it")
    if not text.strip().isascii() or not text.strip().isprintable():
        raise ValueError("contains characters that an HTTP header can't; copy the secret again")
    return text.strip()


def _positive(duration: timedelta) -> timedelta:
    if not duration:
        raise ValueError('is 0; write how long, such as "1h"')
    return duration


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
"""A `timedelta`, written in the form that `parse_duration` reads."""
Text = Annotated[str, Field(min_length=1)]
Texts = Annotated[tuple[Text, ...], Field(min_length=1)]
Name = Annotated[str, AfterValidator(_name)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]
SlackApiUrl = Annotated[HttpUrl, AfterValidator(_with_slash)]
DatabaseUrl = Annotated[str, AfterValidator(_database_url)]
Secret = Annotated[SecretStr, BeforeValidator(_secret)]
ChannelId = Annotated[str, AfterValidator(_channel)]
WorkspaceId = Annotated[str, AfterValidator(_workspace)]
MemberId = Annotated[str, AfterValidator(_member)]
Region = Annotated[str, AfterValidator(_region)]
Phone = Annotated[str, AfterValidator(_phone)]
PositiveDuration = Annotated[Duration, AfterValidator(_positive)]
