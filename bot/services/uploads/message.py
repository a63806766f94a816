"""Finds the phone numbers in a Slack message.

Slack's phone links, WhatsApp's links and JIDs are taken as they are. In the rest, `phonenumbers` finds the numbers. One
without a plus is taken only if it is valid in the default country, because messages have many other digits.
"""

import re
from collections.abc import Iterator

import phonenumbers
from phonenumbers import Leniency, PhoneNumberMatch, PhoneNumberMatcher

from bot.domain.entries import to_plain_text, unescape_entities
from bot.domain.roster import RejectionCode, parse

_WHOLE = re.compile(
    r"""<(?P<link>[^<>|]*)(?:\|[^<>]*)?>
      | (?:https?|whatsapp)://[^\s<>|,;"]*
      | \b(?:www\.|api\.|web\.|chat\.)?(?:wa\.me|whatsapp\.com)/[^\s<>|,;"]*
      | [\w.+:-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){0,4}
    """,
    re.VERBOSE | re.IGNORECASE,
)
_CURRENCY = r"(?:AUD|BRL|CAD|CHF|CNY|EUR|GBP|INR|JPY|MXN|NGN|USD|ZAR)"
_NO_NUMBER_AFTER = re.compile(
    rf"""
    (?: [\w=/%@:] | [^\w\s,]*[#$€£¥₹₽₩₺₪฿]\s? | \b{_CURRENCY}\s?
      | \b(?i:account|booking|iban|invoice|isbn|order|po|ref|reference|serial|sku|ticket|tracking)
        (?:\W{{1,2}}(?i:code|id|no|nr|number)\b)?[\W_]{{0,3}}
      | \b(?i:case|customer|parcel)(?:-|\W{{1,2}}(?i:code|id|no|nr|number)\b)[\W_]{{0,3}}
    )$
    """,
    re.VERBOSE,
)
"""Text before digits that are an amount, or the number of an order or another thing, even if they look like a phone."""
_CONTEXT = 30
_NO_NUMBER_BEFORE = re.compile(rf"\s?[$€£¥₹₽₩₺₪฿%]|\s?{_CURRENCY}\b|\w|[.,]\d")
_ABROAD = re.compile(r"(?<![\w.,+/-])00(?=[1-9][\d\s().-]{7,}\d)")
"""`00` in place of a plus. `phonenumbers` knows it only if the default country dials it."""
_DATE = re.compile(r"(?:19|20)\d\d[-./]\d\d?[-./]\d\d?|\d\d?[-./]\d\d?[-./](?:19|20)?\d\d")
_INTENDED = {RejectionCode.EXTENSION}


def numbers_in(text: str, default_region: str | None = None) -> str:
    """Return the numbers in their order, one a line, for `bot.domain.roster.parse`. Never raises.

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
    text = _with_plus(to_plain_text(unescape_entities(text)))
    for match in PhoneNumberMatcher(text, region, leniency=Leniency.POSSIBLE):
        if match.raw_string.lstrip("(").startswith("+") or _is_intended(text, match, region):
            yield match.raw_string


def _with_plus(text: str) -> str:
    return _ABROAD.sub(lambda zeros: zeros[0] if _NO_NUMBER_AFTER.search(text, 0, zeros.start()) else "+", text)


def _is_intended(text: str, match: PhoneNumberMatch, region: str | None) -> bool:
    before, after = text[max(0, match.start - _CONTEXT) : match.start], text[match.end : match.end + 5]
    if _DATE.fullmatch(match.raw_string) or _NO_NUMBER_AFTER.search(before) or _NO_NUMBER_BEFORE.match(after):
        return False
    roster = parse(match.raw_string, default_region=region)
    return bool(roster.people) or any(entry.code in _INTENDED for entry in roster.rejected)
