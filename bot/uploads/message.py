"""Picks the phone numbers out of a message that somebody wrote in Slack.

Slack's own phone links, WhatsApp's links and JIDs are taken as they are; in the rest `phonenumbers` finds what people
meant as numbers. One without a plus is taken only if it is a person's in the default country, for a message is full of
other digits.
"""

import re
from collections.abc import Iterator

import phonenumbers
from phonenumbers import Leniency, PhoneNumberMatch, PhoneNumberMatcher

from bot.domain.entries import plain, unescape
from bot.domain.roster import RejectedFor, parse

_WHOLE = re.compile(
    r"""<(?P<link>[^<>|]*)(?:\|[^<>]*)?>
      | (?:https?|whatsapp)://[^\s<>|,;"]*
      | \b(?:www\.|api\.|web\.|chat\.)?(?:wa\.me|whatsapp\.com)/[^\s<>|,;"]*
      | [\w.+:-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){0,4}
    """,
    re.VERBOSE | re.IGNORECASE,
)
_NO_NUMBER_AFTER = re.compile(r"(?:[\w=/%@:]|[^\w\s,]*[#$€£¥₹₽₩₺₪฿]\s?)$")
_NO_NUMBER_BEFORE = re.compile(r"\s?[$€£¥₹₽₩₺₪฿%]|\w|[.,]\d")
_DATE = re.compile(r"(?:19|20)\d\d[-./]\d\d?[-./]\d\d?|\d\d?[-./]\d\d?[-./](?:19|20)?\d\d")
_MEANT = {RejectedFor.EXTENSION}


def numbers_in(text: str, default_region: str | None = None) -> str:
    """Give the numbers in the order of the text, one a line, as `bot.domain.roster.parse` reads them. Never raises.

    Args:
        text: the message as Slack sends it, with its escaping and link markup.
        default_region: as for `parse`.
    """
    region = default_region if default_region in phonenumbers.SUPPORTED_REGIONS else None
    return "\n".join(_numbers(text, region))


def _numbers(text: str, region: str | None) -> Iterator[str]:
    read = 0
    for whole in _WHOLE.finditer(text):
        yield from _in_words(text[read : whole.start()], region)
        read = whole.end()
        if (whole["link"] or "").lower().startswith("tel:") or parse(whole[0]).people:
            yield whole[0]
    yield from _in_words(text[read:], region)


def _in_words(text: str, region: str | None) -> Iterator[str]:
    text = plain(unescape(text))
    for match in PhoneNumberMatcher(text, region, leniency=Leniency.POSSIBLE):
        if match.raw_string.lstrip("(").startswith("+") or _is_meant(text, match, region):
            yield match.raw_string


def _is_meant(text: str, match: PhoneNumberMatch, region: str | None) -> bool:
    before, after = text[max(0, match.start - 8) : match.start], text[match.end : match.end + 3]
    if _DATE.fullmatch(match.raw_string) or _NO_NUMBER_AFTER.search(before) or _NO_NUMBER_BEFORE.match(after):
        return False
    roster = parse(match.raw_string, default_region=region)
    return bool(roster.people) or any(entry.code in _MEANT for entry in roster.rejected)
