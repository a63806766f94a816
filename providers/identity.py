"""The written variants of a phone number that belong to one WhatsApp account, and the parts of a JID.

WhatsApp's server decides the canonical form of a number: Brazilian mobiles may lack the ninth digit, Mexican ones may
have `521`, Argentinian ones `549` (whatsmeow #874, Evolution API #2541 and #2062). So people are always compared by all
variants of their numbers.
"""

import re

_BRAZIL = re.compile(r"55(\d\d)9?([6-9]\d{7})")
_MEXICO = re.compile(r"521?(\d{10})")
_ARGENTINA = re.compile(r"549?(\d{10})")
_NUMBER = re.compile(r"\+?([0-9]{5,15})")
_JID = re.compile(r"(\d+)(?::\d+)?@(s\.whatsapp\.net|c\.us|lid)")


def same_person_keys(digits: str) -> frozenset[str]:
    """Return every variant, in digits without `+`, under which the account of `digits` may be listed, itself included.

    >>> sorted(same_person_keys("5511987654321"))
    ['551187654321', '5511987654321']
    """
    if match := _BRAZIL.fullmatch(digits):
        area, local = match.groups()
        return frozenset({f"55{area}{local}", f"55{area}9{local}"})
    if match := _MEXICO.fullmatch(digits):
        return frozenset({f"52{match[1]}", f"521{match[1]}"})
    if match := _ARGENTINA.fullmatch(digits):
        return frozenset({f"54{match[1]}", f"549{match[1]}"})
    return frozenset({digits})


def person_keys(phone: str, lid: str = "") -> frozenset[str]:
    """Return every key that may identify a person: each variant of the phone (E.164), in digits, and the LID.

    >>> sorted(person_keys("+14155550100", "1@lid"))
    ['14155550100', '1@lid']
    """
    return (same_person_keys(phone.removeprefix("+")) if phone else frozenset()) | (frozenset({lid}) - {""})


def phone_digits(jid: str) -> str:
    """Return the digits of a user JID (`@s.whatsapp.net` or `@c.us`), without device suffix; empty for other JIDs."""
    match = _JID.fullmatch(jid)
    return match[1] if match and match[2] != "lid" else ""


def digits_of(text: str) -> str:
    """Return the digits of a number, with or without plus and spaces, or of a user JID; empty for anything else."""
    match = _NUMBER.fullmatch("".join(text.split()))
    return match[1] if match else phone_digits(text.strip())


def phone_beside(lid: str, *values: str | None) -> str:
    """Return the digits of the first number or JID in `values` that is a phone; the digits of `lid` itself aren't one.

    >>> phone_beside("123456@lid", "123456@s.whatsapp.net", "+1 4155550101")
    '14155550101'
    """
    found = (digits_of(value or "") for value in values)
    return next((digits for digits in found if digits and f"{digits}@lid" != lid), "")


def lid_of(jid: str) -> str:
    """Return a LID without device suffix (`123@lid`); empty for every other JID."""
    match = _JID.fullmatch(jid)
    return f"{match[1]}@lid" if match and match[2] == "lid" else ""
