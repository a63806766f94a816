"""Recognises an uploaded file by its content, and reads it."""

import codecs
import re

from bot.services.uploads import delimited, vcard, workbook
from bot.services.uploads.contents import MAX_BYTES, Budget, CannotRead, Cards, Tables, Unreadable

_ZIP = b"PK\x03\x04"
_COMPOUND_FILE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""The first bytes of Excel files from before 2007, and of files with a password (MS-CFB, MS-OFFCRYPTO)."""

_EXCEL = (".xlsx", ".xls", ".xlsm")
_MARKUP = re.compile(r"\s*(?:<(?:!doctype|html|head|body|table|\?xml)\b|\{\\rtf)", re.IGNORECASE)
"""The first characters of web pages and other documents, with tags around every number."""
_NEITHER = "This isn't a CSV file, an Excel workbook (.xlsx) or a contact card (vCard)."
_NO_WORKBOOK = "This isn't an Excel workbook, despite its name. Save the list as .xlsx or CSV and upload that."

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # it begins with the mark of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE = 65_536
_CONTROL = re.compile(r"[\x01-\x08\x0e-\x19\x1b\x7f\ufffd]")
_MAX_CONTROL_SHARE = 0.02


def read(name: str, content: bytes) -> Tables | Cards | Unreadable:
    """Read an uploaded file. Never raises. A large workbook takes seconds: call it in a thread.

    Args:
        name: the file's name; used only for the reason if the file can't be read.
        content: its bytes.
    """
    try:
        return _read(name, content)
    except CannotRead as error:
        return Unreadable(error.reason)


def _read(name: str, content: bytes) -> Tables | Cards:
    if len(content) > MAX_BYTES:
        raise CannotRead(f"This file is larger than {MAX_BYTES // 1_000_000} MB. Upload it in parts.")
    if content.startswith(_COMPOUND_FILE):
        raise CannotRead("This Excel file is old or has a password. Save it as .xlsx without a password, or as CSV.")
    if content.startswith(_ZIP):
        found = workbook.read(content)
    else:
        text = None if content.startswith(b"%PDF") else _text(content)
        if text is None or _MARKUP.match(text):
            raise CannotRead(_NO_WORKBOOK if name.lower().endswith(_EXCEL) else _NEITHER)
        if vcard.has_cards(text):
            return vcard.read(text)
        if name.lower().endswith((".vcf", ".vcard")) and text.strip():
            raise CannotRead("This file has no contact card.")
        table = Budget().table(delimited.rows(text))
        found = Tables((table,) if table else ())
    if not found.tables:
        raise CannotRead("This file is empty.")
    return found


def _text(content: bytes) -> str | None:
    """Return the text without NUL characters and with a line feed as line end; None if the bytes aren't text.

    Exporters write UTF-8 and UTF-16, with or without a byte order mark, and Windows' code page 1252. Other single-byte
    code pages have the same digits.
    """
    text = _decoded(content).replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
    sample = text[:_SAMPLE]
    return None if len(_CONTROL.findall(sample)) > _MAX_CONTROL_SHARE * len(sample) else text


def _decoded(content: bytes) -> str:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return content.decode(encoding, errors="replace")
    sample = content[:_SAMPLE]
    for encoding, nuls in (("utf-16-le", sample[1::2].count(0)), ("utf-16-be", sample[0::2].count(0))):
        if nuls > len(sample) / 4:  # every second byte of digits
            return content.decode(encoding, errors="replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")
