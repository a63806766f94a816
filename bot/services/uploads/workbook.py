"""Excel workbooks (.xlsx): the visible sheets as tables of what their cells show.

Entities in a workbook's XML are refused by defusedxml, which openpyxl uses where it is installed (openpyxl's
documentation, "Security").
"""

import io
import re
import zipfile
from collections.abc import Iterator

import openpyxl
from openpyxl.cell import Cell, MergedCell
from openpyxl.cell.read_only import EmptyCell, ReadOnlyCell

from bot.services.uploads.contents import MOST_BYTES, Budget, CannotRead, Table, Tables

_MOST_UNPACKED = 2 * MOST_BYTES
_MOST_TAGS = 3_000_000
"""About four make a cell, and every one becomes an object: this is what bounds memory."""
_CHUNK = 1 << 20
_LAST_ROW = 1_048_576
"""Of a sheet (Microsoft's "Excel specifications and limits"); without it a row may say that it is the billionth."""
_PLAIN_FORMAT = re.compile(r"[+#0 ()/-]*")
_BROKEN = "This Excel file cannot be read. Save the list as CSV and upload that."
_TOO_LARGE = "This Excel file is too large. Upload the column of numbers only."


def read(content: bytes) -> Tables:
    """Read every visible sheet that is not empty. Raises `CannotRead`."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _bound(archive)
        return Tables(tuple(_sheets(content)))
    except CannotRead:
        raise
    except Exception as error:  # openpyxl raises whatever its parsers meet in a broken file
        raise CannotRead(_BROKEN) from error


def _bound(archive: zipfile.ZipFile) -> None:
    """Refuse what would unpack to too much. Sizes in the archive are true: zipfile reads no byte more than they say."""
    if not any(name.lower().lstrip("/").startswith("xl/") for name in archive.namelist()):
        raise CannotRead("This is not an Excel workbook. Save the list as .xlsx or CSV and upload that.")
    parts = archive.infolist()
    if sum(part.file_size for part in parts) > _MOST_UNPACKED:
        raise CannotRead(_TOO_LARGE)
    tags = 0
    for part in parts:
        with archive.open(part) as file:
            while chunk := file.read(_CHUNK):
                tags += chunk.count(b"<")
                if tags > _MOST_TAGS:
                    raise CannotRead(_TOO_LARGE)


def _sheets(content: bytes) -> Iterator[Table]:
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
    budget = Budget()
    try:
        for sheet in book.worksheets:
            if sheet.sheet_state == "visible":
                sheet.reset_dimensions()  # some exporters write wrong ones
                rows = enumerate(sheet.iter_rows(max_row=_LAST_ROW), start=1)
                table = budget.table(((line, [_shown(cell) for cell in row]) for line, row in rows), sheet.title)
                if table:
                    yield table
    finally:
        book.close()


def _shown(cell: Cell | MergedCell | ReadOnlyCell | EmptyCell) -> str:
    """Give the text that a cell shows, for a number with the plus and the leading zeros that are only its format's."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return str(value)
    positive, *_ = re.sub(r'["\\]', "", cell.number_format).split(";")
    if not _PLAIN_FORMAT.fullmatch(positive):
        return str(value)
    return ("+" if positive.startswith("+") else "") + str(value).zfill(positive.count("0"))
