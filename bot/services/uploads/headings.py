"""The headings of tables: which row they are, and which of them promise phone numbers, in the languages people use."""

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
_LETTER = re.compile(r"[^\W\d_]")
_MOST_ROWS_ABOVE = 10
_FEWEST_DIGITS = 7
_MOST_READ = 200


class Promise(IntEnum):
    """How much a heading promises that phone numbers stand under it."""

    NOTHING = 0
    PHONE = 1
    WHATSAPP = 2


def promise(heading: str) -> Promise:
    """Tell what a heading promises.

    >>> promise("Teléfono móvil"), promise("WhatsApp-Nummer"), promise("Order number")
    (<Promise.PHONE: 1>, <Promise.WHATSAPP: 2>, <Promise.NOTHING: 0>)
    """
    words = _words(heading)
    if _FAX.search(words):
        return Promise.NOTHING
    if _WHATSAPP.search(words):
        return Promise.WHATSAPP
    return Promise.PHONE if _PHONE.search(words) or _NUMBER.fullmatch(words) else Promise.NOTHING


def place(rows: Sequence[Sequence[str]]) -> int | None:
    """Find the row of headings near the top, perhaps under a title: one with a known word, no number in it or above.

    Without a known word it is a first row of several words, one of them the only one in a column of numbers. Any other
    is none, so that a name that stands where a number should is answered as an entry.
    """
    for index, cells in enumerate(rows[:_MOST_ROWS_ABOVE]):
        if any(map(may_be_number, cells)):
            break
        if is_known(cells):
            return index
    return 0 if _stands_out(rows) else None


def is_known(cells: Sequence[str]) -> bool:
    """Tell whether a row has a word in it that headings have."""
    return any(promise(cell) or _OTHER.fullmatch(_words(cell)) for cell in cells)


def _stands_out(rows: Sequence[Sequence[str]]) -> bool:
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


def may_be_number(cell: str) -> bool:
    """Tell whether a cell has digits enough for a phone number."""
    return sum(map(str.isdecimal, cell[:_MOST_READ])) >= _FEWEST_DIGITS


def _words(heading: str) -> str:
    spread = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", heading[:_MOST_READ])
    decomposed = unicodedata.normalize("NFKD", spread.casefold())
    plain = "".join(char for char in decomposed if not unicodedata.category(char).startswith("M"))
    return re.sub(r"[\W\d_]+", " ", unicodedata.normalize("NFC", plain)).strip()
