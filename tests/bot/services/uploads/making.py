"""Real files for the tests of uploads."""

import csv
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence

import openpyxl


def delimited(rows: Iterable[Sequence[object]], *, delimiter: str = ",", encoding: str = "utf-8") -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode(encoding)


def workbook(*sheets: Sequence[Sequence[object]], formats: Mapping[str, str] | None = None, hidden: int = -1) -> bytes:
    """Make a workbook whose sheets are named `Sheet1`, `Sheet2` …; `formats` are those of cells of the first."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for index, rows in enumerate(sheets):
        sheet = book.create_sheet(f"Sheet{index + 1}")
        for row in rows:
            sheet.append(row)
        if index == hidden:
            sheet.sheet_state = "hidden"
    for place, number_format in (formats or {}).items():
        book.worksheets[0][place].number_format = number_format
    return saved(book)


def saved(book: openpyxl.Workbook) -> bytes:
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def with_part(content: bytes, name: str, part: bytes) -> bytes:
    """Exchange one part of a workbook."""
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.namelist():
            new.writestr(item, part if item == name else old.read(item))
    return changed.getvalue()


def cards(*numbers: str) -> bytes:
    text = "".join(f"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ann Lee\r\nTEL:{number}\r\nEND:VCARD\r\n" for number in numbers)
    return text.encode()
