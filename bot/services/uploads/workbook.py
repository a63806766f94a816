"""Excel workbooks (.xlsx): the visible sheets as tables of what their cells show.

Entities in a workbook's XML are refused by defusedxml, which openpyxl uses if it is installed (openpyxl's
documentation, "Security").
"""

import io
import re
import zipfile
from collections.abc import Iterator

import openpyxl
from openpyxl.cell import Cell, MergedCell
from openpyxl.cell.read_only import EmptyCell, ReadOnlyCell

from bot.services.uploads.contents import MAX_BYTES, Budget, CannotRead, Table, Tables
from providers.text import clean_text

_MAX_UNPACKED = 2 * MAX_BYTES
_MAX_TAGS = 3_000_000
"""A cell has about four tags, and each becomes an object, so this limits memory."""
_CHUNK = 1 << 20
_LAST_ROW = 1_048_576
"""The last row of a sheet (Microsoft's "Excel specifications and limits"). A file can claim any row number."""
_PLAIN_FORMAT = re.compile(r"[+#0 ()/-]*")
_BROKEN = "This Excel file can't be read. Save the list as CSV and upload that."
_TOO_LARGE = "This Excel file is too large. Upload the column of numbers only."


def read(content: bytes) -> Tables:
    """Read every visible sheet that isn't empty. Raises `CannotRead`."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_size(archive)
        return Tables(tuple(_sheets(content)))
    except CannotRead:
        raise
    except Exception as error:  # openpyxl raises many errors for a broken file
        raise CannotRead(_BROKEN) from error


def _check_size(archive: zipfile.ZipFile) -> None:
    """Check the unpacked size. Sizes in the archive can be trusted: zipfile never reads more. Raises `CannotRead`."""
    if not any(name.lower().lstrip("/").startswith("xl/") for name in archive.namelist()):
        raise CannotRead("This isn't an Excel workbook. Save the list as .xlsx or CSV and upload that.")
    parts = archive.infolist()
    if sum(part.file_size for part in parts) > _MAX_UNPACKED:
        raise CannotRead(_TOO_LARGE)
    tags = 0
    for part in parts:
        with archive.open(part) as file:
            while chunk := file.read(_CHUNK):
                tags += chunk.count(b"<")
                if tags > _MAX_TAGS:
                    raise CannotRead(_TOO_LARGE)


def _sheets(content: bytes) -> Iterator[Table]:
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
    budget = Budget()
    try:
        for sheet in book.worksheets:
            if sheet.sheet_state == "visible":
                sheet.reset_dimensions()  # some exporters write wrong dimensions
                rows = enumerate(sheet.iter_rows(max_row=_LAST_ROW), start=1)
                table = budget.table(
                    ((line, [_shown(cell) for cell in row]) for line, row in rows), clean_text(sheet.title)
                )
                if table:
                    yield table
    finally:
        book.close()


def _shown(cell: Cell | MergedCell | ReadOnlyCell | EmptyCell) -> str:
    """Return the text that a cell shows. A number gets the plus and the leading zeros of its format."""
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
