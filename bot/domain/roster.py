"""The participants of a request: every entry becomes a person, a rejected entry or a duplicate.

`phonenumbers` decides which numbers are valid (`is_valid_number`). One that is merely possible (right length, but in an
unassigned range) is rejected with a reason. There are two exceptions, because WhatsApp and the providers write such
numbers:

- a number is also valid if another form of the same account is (`providers.identity`): WhatsApp shows Mexican mobiles
  as `+52 1 …` and Brazilian ones without their ninth digit, which today's numbering plans no longer have;
- example numbers: Ofcom's for drama (07700 900000 to 900999, 01632 960000 to 960999) and North America's unassigned
  area code 555, which the providers' contracts use.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult

from bot.domain.entries import ORDINAL, RosterEntry, split_entries
from bot.domain.names import name_in
from providers.base import Person
from providers.identity import person_keys, same_person_keys


class RejectionCode(StrEnum):
    """Why an entry isn't a person."""

    NOT_A_NUMBER = "not_a_number"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    NOT_VALID = "not_valid"
    NO_COUNTRY_CODE = "no_country_code"
    UNKNOWN_COUNTRY_CODE = "unknown_country_code"
    EXTENSION = "extension"
    LETTERS = "letters"
    SPREADSHEET = "spreadsheet"
    NOT_A_PERSON = "not_a_person"
    LINK = "link"
    SLACK_MENTION = "slack_mention"


@dataclass(frozen=True, slots=True)
class RejectedEntry:
    """An entry that isn't a person.

    Attributes:
        raw: the text as typed.
        code: why it isn't one.
        line: its line; 0 if the text has only one.
        in_file: whether that is a line of a file.
        name: the name beside it in the file; empty if there is none.
    """

    raw: str
    code: RejectionCode
    line: int = 0
    in_file: bool = False
    name: str = ""

    @property
    def location(self) -> str:
        """Its line, in words; empty if there is only one."""
        return f"line {self.line:,}{' of the file' if self.in_file else ''}" if self.line else ""

    @property
    def reason(self) -> str:
        """Why it isn't a person, as a sentence for the requester."""
        return _REASONS[self.code]


@dataclass(frozen=True, slots=True)
class Duplicate:
    """An entry that repeats a person in any form: the text as typed, and the first entry of that person."""

    raw: str
    first: Person


@dataclass(frozen=True, slots=True)
class Roster:
    """All entries, each in exactly one of the three lists, in the order in which they were typed."""

    people: tuple[Person, ...] = ()
    rejected: tuple[RejectedEntry, ...] = ()
    duplicates: tuple[Duplicate, ...] = ()


class Cell(NamedTuple):
    """A cell of a file: its line, its text, and the name beside it."""

    line: int
    text: str
    name: str = ""


def parse(text: str, *, default_region: str | None = None, first_line: int = 1) -> Roster:
    """Parse participants in any form that people type or paste. Never raises.

    Args:
        text: the text as typed, with or without Slack's escaping and link markup.
        default_region: the ISO 3166 code of the country of numbers without a country code (`GB`). Without one that
            `phonenumbers` knows, only international numbers are valid.
        first_line: the line on which the text begins in everything that was typed.
    """
    has_lines = first_line > 1 or "\n" in text.strip()
    entries = ((first_line + entry.line - 1 if has_lines else 0, "", entry) for entry in split_entries(text))
    return _roster(entries, default_region)


def parse_cells(cells: Iterable[Cell], *, default_region: str | None = None) -> Roster:
    """Parse the cells of a file as `parse` parses typed text. Never raises.

    A cell is data: it has no escaping and markup of Slack. A cell with several numbers is several entries, all of them
    with its name.
    """
    entries = ((cell.line, cell.name, entry) for cell in cells for entry in split_entries(cell.text, slack=False))
    return _roster(entries, default_region, in_file=True)


def written(person: Person) -> str:
    """Return a person's number, with their name, as text that `parse` reads back.

    >>> written(Person("x", "+14155550100", name="Ora, Rita"))
    'Ora Rita: +14155550100'
    """
    name = " ".join(_NOT_IN_A_NAME.sub(" ", person.name).split())
    number = person.phone or person.lid
    return f"{name}: {number}" if name else number


def _roster(
    entries: Iterable[tuple[int, str, RosterEntry]], default_region: str | None, *, in_file: bool = False
) -> Roster:
    region = default_region if default_region in phonenumbers.SUPPORTED_REGIONS else None
    people: list[Person] = []
    rejected: list[RejectedEntry] = []
    duplicates: list[Duplicate] = []
    known: dict[str, Person] = {}
    for line, name, entry in entries:
        try:
            person = _read(entry, region)
        except _RejectedEntryError as error:
            rejected.append(RejectedEntry(entry.raw, error.code, line, in_file, name))
            continue
        if name:
            person = replace(person, name=name)
        keys = person_keys(person.phone, person.lid)
        first = next((known[key] for key in keys if key in known), None)
        if first is None:
            people.append(person)
            known.update(dict.fromkeys(keys, person))
        else:
            duplicates.append(Duplicate(entry.raw, first))
    return Roster(tuple(people), tuple(rejected), tuple(duplicates))


class _RejectedEntryError(Exception):
    def __init__(self, code: RejectionCode) -> None:
        super().__init__(code)
        self.code = code


_REASONS = {
    RejectionCode.NOT_A_NUMBER: "Not a phone number. Use + and the country code.",
    RejectionCode.TOO_SHORT: "Too short for a phone number. Check the area code and the digits.",
    RejectionCode.TOO_LONG: "Too long for one phone number. Check the digits, put a comma between two people, "
    "and use + before a number from another country.",
    RejectionCode.NOT_VALID: "Not a valid phone number. Check the digits. A number from another country needs + and "
    "the country code.",
    RejectionCode.NO_COUNTRY_CODE: "The country code is missing, and this connection has no default country. "
    "Use + and the country code.",
    RejectionCode.UNKNOWN_COUNTRY_CODE: "No country has this code. Use + and the country code.",
    RejectionCode.EXTENSION: "WhatsApp can't reach an extension. Use the person's own number.",
    RejectionCode.LETTERS: "Not a phone number: it contains letters. Use only digits.",
    RejectionCode.SPREADSHEET: "A spreadsheet shortened this number, and its last digits are lost. "
    "Format the column as text and paste it again.",
    RejectionCode.NOT_A_PERSON: "This is a group or a channel, not a person. Use people's phone numbers.",
    RejectionCode.LINK: "This link has no phone number. Use + and the country code.",
    RejectionCode.SLACK_MENTION: "Slack doesn't show this person's WhatsApp number. Use the number instead.",
}

_NOT_IN_A_NAME = re.compile(r"[^\w .'’-]|\d")
"""What separates entries, or is read as a part of the number."""
_LINK = re.compile(
    r"(?:https?|whatsapp)://[^\s<>\"']*|(?:\b\w{1,8}\.)?(?:wa\.me|whatsapp\.com)/[^\s<>\"']*", re.IGNORECASE
)
_JID = re.compile(r"(?:[^\d+]*[^\w+])?\+?(?P<user>[\d-]+)(?:[._]\d+)?(?::\d+)?@(?P<server>[\w.-]*\w)\W*")
_VCARD = re.compile(r"^tel;[^:]*:", re.IGNORECASE)
_LABEL = re.compile(r"[^\d+]*(?:(?=\+)|(?<=[^\w+])(?=\d))")
_THROUGH_LAST_DIGIT = re.compile(r".*\d", re.DOTALL)
_NOTE = re.compile(r"[^\w(<\[]*[(<\[]")
_LETTER = re.compile(r"[^\W\d_]")
_NUMBER = re.compile(r"\++[\s(]*\d[\d\s().\-/\[\]_]*|\d[\d\s().\-/\[\]_]*")
_SHORTENED = re.compile(r"\b\d{1,20}(?:[.,]\d{1,20})?e\+?\d{1,3}\b", re.IGNORECASE)
_FLOAT = re.compile(r"(\d{7,15})\.0")
_EXAMPLE_NUMBER = re.compile(r"447700900\d{3}|441632960\d{3}|1555\d{7}")
_PHONE_SERVERS = {"s.whatsapp.net", "c.us", "hosted"}
_GROUP_SERVERS = {"g.us", "broadcast", "newsletter"}


def _read(entry: RosterEntry, region: str | None) -> Person:
    """Parse one entry. Raises `_RejectedEntryError`."""
    ordinal = ORDINAL.match(entry.plain)
    text = _VCARD.sub("", entry.plain[ordinal.end() :] if ordinal else entry.plain)
    if "<@" in text or "<#" in text or "<!" in text:
        raise _RejectedEntryError(RejectionCode.SLACK_MENTION)
    if link := _LINK.search(text):
        return Person(entry.raw, _phone(_linked_number(link[0]), region), name=name_in(text[: link.start()]))
    if jid := _JID.fullmatch(text):
        name = name_in(text[: jid.start("user")])
        if jid["server"].lower() == "lid":
            return Person(entry.raw, lid=f"{jid['user']}@lid", name=name)
        return Person(entry.raw, _phone(_jid_number(jid), region), name=name)
    return Person(entry.raw, _phone(_written_number(text, region), region), name=_name_beside(text))


def _name_beside(text: str) -> str:
    """Return the name before a number, or in brackets after it; empty if there is none."""
    label, digits = _LABEL.match(text), _THROUGH_LAST_DIGIT.match(text)
    rest = text[digits.end() :] if digits else ""
    return (name_in(label[0]) if label else "") or (name_in(rest) if _NOTE.match(rest) else "")


def _linked_number(link: str) -> str:
    """Return the number of `wa.me/<number>` or `…/send?phone=<number>`: international, perhaps without its plus."""
    try:
        parts = urlsplit(link if "://" in link else f"https://{link}")
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError as error:
        raise _RejectedEntryError(RejectionCode.LINK) from error
    if host == "chat.whatsapp.com":
        raise _RejectedEntryError(RejectionCode.NOT_A_PERSON)
    if host == "wa.me":
        number = unquote(parts.path)
    elif parts.scheme == "whatsapp" or host.endswith("whatsapp.com"):
        number = parse_qs(parts.query).get("phone", [""])[0]
    else:
        raise _RejectedEntryError(RejectionCode.LINK)
    digits = re.sub(r"[\s/().+-]", "", number)
    if not re.fullmatch(r"[0-9]+", digits):
        raise _RejectedEntryError(RejectionCode.LINK)
    return f"+{digits.removeprefix('00')}"


def _jid_number(jid: re.Match[str]) -> str:
    server = jid["server"].lower()
    if server in _GROUP_SERVERS:
        raise _RejectedEntryError(RejectionCode.NOT_A_PERSON)
    if server not in _PHONE_SERVERS:
        raise _RejectedEntryError(RejectionCode.NOT_A_NUMBER)
    return "+" + jid["user"].replace("-", "")


def _written_number(text: str, region: str | None) -> str:
    """Return a number as people write it, perhaps after a name, as digits with or without a leading plus."""
    text, *parameters = re.sub("%2b", "+", text, flags=re.IGNORECASE).split(";")
    context = ""
    for name, _, value in (parameter.partition("=") for parameter in parameters):  # of a tel: URI, RFC 3966
        if name.lower() == "ext":
            raise _RejectedEntryError(RejectionCode.EXTENSION)
        if name.lower() == "phone-context" and value.startswith("+"):
            context = value
    if label := _LABEL.match(text):
        text = text[label.end() :]
    digits = _THROUGH_LAST_DIGIT.match(text)
    if not digits:
        raise _RejectedEntryError(RejectionCode.NOT_A_NUMBER)
    number, rest = digits[0], text[digits.end() :]
    if _LETTER.search(rest) and not _NOTE.match(rest):
        raise _RejectedEntryError(RejectionCode.LETTERS)
    if not _NUMBER.fullmatch(number):
        raise _RejectedEntryError(_why_not_a_number(number, region))
    if shown_as_float := _FLOAT.fullmatch(number):
        number = shown_as_float[1]
    if context and not number.startswith("+"):
        number = context + number
    return ("+" if number.startswith("+") else "") + re.sub(r"\D", "", number)


def _why_not_a_number(number: str, region: str | None) -> RejectionCode:
    if _SHORTENED.search(number):
        return RejectionCode.SPREADSHEET
    try:
        if phonenumbers.parse(number, region or "ZZ").extension:
            return RejectionCode.EXTENSION
    except NumberParseException:
        pass
    return RejectionCode.LETTERS if _LETTER.search(number) else RejectionCode.NOT_A_NUMBER


_PARSE_REASONS = {
    NumberParseException.INVALID_COUNTRY_CODE: RejectionCode.UNKNOWN_COUNTRY_CODE,
    NumberParseException.NOT_A_NUMBER: RejectionCode.TOO_SHORT,
    NumberParseException.TOO_SHORT_AFTER_IDD: RejectionCode.TOO_SHORT,
    NumberParseException.TOO_SHORT_NSN: RejectionCode.TOO_SHORT,
    NumberParseException.TOO_LONG: RejectionCode.TOO_LONG,
}
_LENGTH_REASONS = {
    ValidationResult.TOO_SHORT: RejectionCode.TOO_SHORT,
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: RejectionCode.TOO_SHORT,
    ValidationResult.TOO_LONG: RejectionCode.TOO_LONG,
    ValidationResult.INVALID_COUNTRY_CODE: RejectionCode.UNKNOWN_COUNTRY_CODE,
}
_SHORTEST, _LONGEST = 7, 17  # digits; without a region, the only sign of a missing country code


def _phone(number: str, region: str | None) -> str:
    """Return the E.164 form of digits with or without a leading plus. Raises `_RejectedEntryError`."""
    if not number.startswith("+") and region is None:
        number = _international(number)
    try:
        parsed = phonenumbers.parse(number, region)
    except NumberParseException as error:
        raise _RejectedEntryError(_PARSE_REASONS[error.error_type]) from error
    phone = phonenumbers.format_number(parsed, PhoneNumberFormat.E164)
    if phonenumbers.is_valid_number(parsed) or _is_valid_otherwise(phone.removeprefix("+")):
        return phone
    if number.startswith("00"):  # the prefix of most countries, typed in a country with another one
        return _phone(f"+{number[2:]}", region)
    raise _RejectedEntryError(
        _LENGTH_REASONS.get(phonenumbers.is_possible_number_with_reason(parsed), RejectionCode.NOT_VALID)
    )


def _international(number: str) -> str:
    if number.startswith("00"):
        return f"+{number[2:]}"
    if len(number) < _SHORTEST:
        raise _RejectedEntryError(RejectionCode.TOO_SHORT)
    raise _RejectedEntryError(RejectionCode.TOO_LONG if len(number) > _LONGEST else RejectionCode.NO_COUNTRY_CODE)


def _is_valid_otherwise(digits: str) -> bool:
    return _EXAMPLE_NUMBER.fullmatch(digits) is not None or any(
        phonenumbers.is_valid_number(phonenumbers.parse(f"+{form}")) for form in same_person_keys(digits) - {digits}
    )
