"""The kinds of value that settings hold, each with the words for a wrong one; they follow the key's name."""

import re
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

import phonenumbers
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from bot.config.durations import Duration
from bot.config.errors import guidance, shown
from bot.domain import roster

Word = TypeVar("Word", bound=StrEnum)


def one_of(kind: str, words: type[Word]) -> BeforeValidator:
    """Read a word of an enumeration, and say the nearest one when it is another."""

    def read(written: object) -> object:
        known = [word.value for word in words]
        if written not in known:
            raise ValueError(f"is {shown(written)}, which is no {kind}; {guidance(str(written), known)}")
        return words(str(written))

    return BeforeValidator(read)


def _http_url(written: str) -> str:
    try:
        url = urlsplit(written)
        usable = url.scheme in {"http", "https"} and bool(url.hostname) and (url.port is None or url.port > 0)
    except ValueError:
        usable = False
    if not usable:
        raise ValueError('is no web address; it begins with "https://" (or "http://") and a host')
    if url.username or url.password or url.query or url.fragment:
        raise ValueError("carries more than an address; leave out user, password, ? and #")
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
    raise ValueError('is no database Rollcall can keep its journal in; write "sqlite:///file.db" or "postgresql://…"')


def _name(written: str) -> str:
    if not re.fullmatch(r"\w[\w.-]*", written) or "__" in written:
        raise ValueError("is no usable name; write letters, digits, dots, dashes and single underscores, no spaces")
    return written


def _member(written: str) -> str:
    if not re.fullmatch(r"[UWS][A-Z0-9]+", written):
        raise ValueError(
            f"is {shown(written)}, which is no Slack id; copy the user's (U… or W…) or the user group's (S…)"
        )
    return written


def _channel(written: str) -> str:
    if not re.fullmatch(r"[CG][A-Z0-9]+", written):
        raise ValueError(f"is {shown(written)}, which is no channel id; copy it (C… or G…) from the channel's details")
    return written


def _region(written: str) -> str:
    region = written.upper()
    if region not in phonenumbers.SUPPORTED_REGIONS:
        hint = "did you mean 'GB'?" if region == "UK" else 'write two letters, such as "GB", "US" or "BR"'
        raise ValueError(f"is {shown(written)}, which is no ISO 3166 country; {hint}")
    return region


def _phone(written: str) -> str:
    people = roster.parse(written).people
    if len(people) != 1 or not people[0].phone:
        raise ValueError('is no phone number; write one with + and the country code, such as "+1 415 555 0100"')
    return people[0].phone


def _secret(written: object) -> object:
    text = written.get_secret_value() if isinstance(written, SecretStr) else written
    if not isinstance(text, str) or not text.strip():
        raise ValueError("is empty; set it to the secret itself, or take it away")
    if not text.strip().isascii() or not text.strip().isprintable():
        raise ValueError("holds characters that no HTTP header can carry; copy the secret again")
    return text.strip()


def _positive(duration: timedelta) -> timedelta:
    if not duration:
        raise ValueError('is 0; write how long, such as "1h"')
    return duration


Text = Annotated[str, Field(min_length=1)]
Texts = Annotated[tuple[Text, ...], Field(min_length=1)]
Name = Annotated[str, AfterValidator(_name)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]
SlackApiUrl = Annotated[HttpUrl, AfterValidator(_with_slash)]
DatabaseUrl = Annotated[str, AfterValidator(_database_url)]
Secret = Annotated[SecretStr, BeforeValidator(_secret)]
ChannelId = Annotated[str, AfterValidator(_channel)]
MemberId = Annotated[str, AfterValidator(_member)]
Region = Annotated[str, AfterValidator(_region)]
Phone = Annotated[str, AfterValidator(_phone)]
PositiveDuration = Annotated[Duration, AfterValidator(_positive)]
