"""Which written forms of a phone number are one WhatsApp account, and what a JID says.

The server decides a number's canonical form: Brazilian mobiles may lack the ninth digit, Mexican ones may carry
`521`, Argentinian ones `549` (whatsmeow #874, Evolution API #2541 and #2062). So two people are compared by all the
forms that their numbers can have, never by one.
"""

import re

_BRAZIL = re.compile(r"55(\d\d)9?([6-9]\d{7})")
_MEXICO = re.compile(r"521?(\d{10})")
_ARGENTINA = re.compile(r"549?(\d{10})")
_NUMBER = re.compile(r"\+?([0-9]{5,15})")
_JID = re.compile(r"(\d+)(?::\d+)?@(s\.whatsapp\.net|c\.us|lid)")


def same_person_keys(digits: str) -> frozenset[str]:
    """Give every form, in digits without `+`, in which the account behind `digits` may be listed, itself included.

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
    """Give every key by which a person may be told: each form of the phone (E.164), in digits, and the LID.

    >>> sorted(person_keys("+14155550100", "1@lid"))
    ['14155550100', '1@lid']
    """
    return (same_person_keys(phone.removeprefix("+")) if phone else frozenset()) | (frozenset({lid}) - {""})


def phone_digits(jid: str) -> str:
    """Give the digits of a user JID (`@s.whatsapp.net` or `@c.us`, a device suffix dropped); empty for others."""
    match = _JID.fullmatch(jid)
    return match[1] if match and match[2] != "lid" else ""


def digits_of(text: str) -> str:
    """Give the digits of a number, with or without plus and spaces, or of a user JID; empty for all else."""
    match = _NUMBER.fullmatch("".join(text.split()))
    return match[1] if match else phone_digits(text.strip())


def phone_beside(lid: str, *told: str | None) -> str:
    """Give the digits of the first of these numbers and JIDs that tells a phone; those of the LID beside it do not.

    >>> phone_beside("123456@lid", "123456@s.whatsapp.net", "+1 4155550101")
    '14155550101'
    """
    shown = (digits_of(text or "") for text in told)
    return next((digits for digits in shown if digits and f"{digits}@lid" != lid), "")


def lid_of(jid: str) -> str:
    """Give a LID without device suffix (`123@lid`); empty for every other JID."""
    match = _JID.fullmatch(jid)
    return f"{match[1]}@lid" if match and match[2] == "lid" else ""
