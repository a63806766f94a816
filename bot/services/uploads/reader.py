"""Finds out what an uploaded file is, by its content rather than by its name, and reads it."""

import codecs
import re

from bot.services.uploads import delimited, vcard, workbook
from bot.services.uploads.contents import MOST_BYTES, Budget, CannotRead, Cards, Tables, Unreadable

_ZIP = b"PK\x03\x04"
_COMPOUND_FILE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""Begins Excel's files from before 2007, and today's when they are locked with a password (MS-CFB, MS-OFFCRYPTO)."""

_EXCEL = (".xlsx", ".xls", ".xlsm")
_MARKUP = re.compile(r"\s*(?:<(?:!doctype|html|head|body|table|\?xml)\b|\{\\rtf)", re.IGNORECASE)
"""Begins web pages and other documents, whose tags would stand around every number."""
_NEITHER = "This is neither a CSV file nor an Excel workbook (.xlsx) nor a contact card (vCard)."
_NO_WORKBOOK = "This is no Excel workbook, whatever its name says. Save the list as .xlsx or CSV and upload that."

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins like the mark of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE = 65_536
_CONTROL = re.compile(r"[\x01-\x08\x0e-\x19\x1b\x7f\ufffd]")
_MOST_CONTROLS = 0.02


def read(name: str, content: bytes) -> Tables | Cards | Unreadable:
    """Read a file that somebody uploaded. Never raises. A large workbook takes seconds: call it in a thread.

    Args:
        name: the file's name; it only helps to say what was expected of a file that is something else.
        content: its bytes.
    """
    try:
        return _read(name, content)
    except CannotRead as error:
        return Unreadable(error.reason)


def _read(name: str, content: bytes) -> Tables | Cards:
    if len(content) > MOST_BYTES:
        raise CannotRead(f"This file is larger than {MOST_BYTES // 1_000_000} MB. Upload it in parts.")
    if content.startswith(_COMPOUND_FILE):
        raise CannotRead("This is an old or a locked Excel file. Save it as .xlsx without a password, or as CSV.")
    if content.startswith(_ZIP):
        found = workbook.read(content)
    else:
        text = None if content.startswith(b"%PDF") else _text(content)
        if text is None or _MARKUP.match(text):
            raise CannotRead(_NO_WORKBOOK if name.lower().endswith(_EXCEL) else _NEITHER)
        if vcard.holds_cards(text):
            return vcard.read(text)
        if name.lower().endswith((".vcf", ".vcard")) and text.strip():
            raise CannotRead("There is no contact card in this file.")
        table = Budget().table(delimited.rows(text))
        found = Tables((table,) if table else ())
    if not found.tables:
        raise CannotRead("This file is empty.")
    return found


def _text(content: bytes) -> str | None:
    """Give the text without NUL characters and with one character for every line end; None if it is no text.

    Exporters write UTF-8 and UTF-16, with a byte order mark or without, and Windows' code page 1252. Another code page
    of one byte reads with wrong letters but right digits.
    """
    text = _decoded(content).replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
    sample = text[:_SAMPLE]
    return None if len(_CONTROL.findall(sample)) > _MOST_CONTROLS * len(sample) else text


def _decoded(content: bytes) -> str:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return content.decode(encoding, errors="replace")
    sample = content[:_SAMPLE]
    for encoding, nuls in (("utf-16-le", sample[1::2].count(0)), ("utf-16-be", sample[0::2].count(0))):
        if nuls > len(sample) / 4:  # digits have one in every two bytes
            return content.decode(encoding, errors="replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")
