"""The headings of tables: their row, and which of them promise phone numbers, in many languages."""

import re
import unicodedata
from collections.abc import Sequence
from enum import IntEnum

_WHATSAPP = re.compile(r"whats? ?app|\bwa\b")
_PHONE = re.compile(
    r"""phone|\btel\b|telef|\bfone\b|mobil|\bmob\b|\bcell\b|cellul|celular|\bmovil|handy|rufnummer|portable|\bgsm\b
      |msisdn|komork|puhelin|matkapuhelin|тел\b|телефон|мобильн|电话|手机|電話|携帯|전화|휴대폰|هاتف|جوال|موبايل|טלפון|נייד
      |फोन|मोबाइल|โทร""",
    re.VERBOSE,
)
_NUMBER = re.compile(r"numbers?|numero|nummer|numer|номер|号码|番号|번호|رقم|מספר")
_FAX = re.compile(r"fax|факс|传真|pager")
_OTHER = re.compile(
    r"""\b(?:(?:(?:first|last|full|given|family|user|sur|vor|nach)[ ]?)?names?|nom|prenom|nombre|apellidos?|nome|cognome
      |sobrenome|naam|namn|navn|nimi|imie|nazwisko|contacts?|kontakte?|contactos?|participants?|participantes?
      |teilnehm(?:er|erin|ende|erinnen|er innen)|members?|mitglied(?:er)?|membres?|miembros?|attendees?|guests?|gaste?
      |people|persons?|personen|e ?mail|mail|correo|company|firma|empresa|organi[sz]ation|city|ort
      |ciudad|country|land|address|adresse|notes?|date|id|group|имя|фамилия|фио|почта)\b|姓名|名前|이름|الاسم|שם|नाम""",
    re.VERBOSE,
)
_NAME = re.compile(
    r"(?:(?:full|contact|display|guest|member|participant) )?names?|nom(?: complet)?|nombre(?: completo)?|nome"
    r"(?: completo)?|naam|namn|navn|nimi|contacts?|kontakte?|participants?|teilnehmer(?: in| innen)?|members?|mitglied"
    r"(?:er)?|attendees?|guests?|persons?|people|имя|фио|姓名|名前|이름|الاسم|שם|नाम"
)
_FIRST_NAME = re.compile(r"(?:first|given) names?|prenom|vorname|nombre|nome|imie|voornaam|fornavn|имя")
_LAST_NAME = re.compile(
    r"(?:last|family|sur) ?names?|nom|nachname|familienname|apellidos?|cognome|sobrenome|nazwisko|achternaam|фамилия"
)
_LETTER = re.compile(r"[^\W\d_]")
_MAX_ROWS_ABOVE = 10
_MIN_DIGITS = 7
_MAX_CELL = 200


class Promise(IntEnum):
    """How much a heading promises phone numbers below it."""

    NOTHING = 0
    PHONE = 1
    WHATSAPP = 2


def promise(heading: str) -> Promise:
    """Return what a heading promises.

    >>> promise("Teléfono móvil"), promise("WhatsApp-Nummer"), promise("Order number")
    (<Promise.PHONE: 1>, <Promise.WHATSAPP: 2>, <Promise.NOTHING: 0>)
    """
    words = _words(heading)
    if _FAX.search(words):
        return Promise.NOTHING
    if _WHATSAPP.search(words):
        return Promise.WHATSAPP
    return Promise.PHONE if _PHONE.search(words) or _NUMBER.fullmatch(words) else Promise.NOTHING


def heading_row(rows: Sequence[Sequence[str]]) -> int | None:
    """Return the index of the row of headings; None if there is none.

    It is near the top, perhaps under a title: a row with a known word and without a number in it or above. Without a
    known word, it is a first row of several words over a column that otherwise has only numbers. No other row counts,
    so that a name in place of a number is rejected as an entry.
    """
    for index, cells in enumerate(rows[:_MAX_ROWS_ABOVE]):
        if any(map(may_be_number, cells)):
            break
        if is_known(cells):
            return index
    return 0 if _is_over_numbers(rows) else None


def name_columns(heading: Sequence[str]) -> tuple[int, ...]:
    """Return the columns whose headings promise names, in the order in which they are joined: first and last name.

    >>> name_columns(["Phone", "Last name", "First name"]), name_columns(["Name", "Phone"]), name_columns(["Phone"])
    ((2, 1), (0,), ())
    """
    words = [_words(cell) for cell in heading]
    first = next((index for index, cell in enumerate(words) if _FIRST_NAME.fullmatch(cell)), None)
    last = next((index for index, cell in enumerate(words) if _LAST_NAME.fullmatch(cell) and index != first), None)
    if first is not None and last is not None:
        return first, last
    full = next((index for index, cell in enumerate(words) if _NAME.fullmatch(cell)), None)
    found = full if full is not None else first if first is not None else last
    return () if found is None else (found,)


def is_known(cells: Sequence[str]) -> bool:
    """Return whether a row has a known word of headings."""
    return any(promise(cell) or _OTHER.fullmatch(_words(cell)) for cell in cells)


def _is_over_numbers(rows: Sequence[Sequence[str]]) -> bool:
    first, *rest = rows
    if len(first) <= 1 or not all(_LETTER.search(cell) and not _has_digit(cell) for cell in first):
        return False
    for column in range(len(first)):
        below = [cells[column] for cells in rest if column < len(cells) and cells[column]]
        if any(map(may_be_number, below)) and all(map(_has_digit, below)):
            return True
    return False


def _has_digit(cell: str) -> bool:
    return any(map(str.isdecimal, cell))


def is_word(cell: str) -> bool:
    """Return whether a cell has letters, and no digits or at sign: it may be a name."""
    return _LETTER.search(cell) is not None and "@" not in cell and not _has_digit(cell)


def may_be_number(cell: str) -> bool:
    """Return whether a cell has enough digits for a phone number."""
    return sum(map(str.isdecimal, cell[:_MAX_CELL])) >= _MIN_DIGITS


def _words(heading: str) -> str:
    spread = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", heading[:_MAX_CELL])
    decomposed = unicodedata.normalize("NFKD", spread.casefold())
    plain = "".join(char for char in decomposed if not unicodedata.category(char).startswith("M"))
    return re.sub(r"[\W\d_]+", " ", unicodedata.normalize("NFC", plain)).strip()
