import datetime as dt
import io
import zipfile

import openpyxl
import pytest

from bot.services.uploads.contents import Tables, Unreadable
from bot.services.uploads.reader import read
from tests.bot.services.uploads.making import saved, with_part, workbook

SHEET = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{}</worksheet>'
SHEET_PART = "xl/worksheets/sheet1.xml"


def _rows(content: bytes, name: str = "list.xlsx") -> list[tuple[int, tuple[str, ...]]]:
    found = read(name, content)
    assert isinstance(found, Tables)
    return [(row.line, row.cells) for table in found.tables for row in table.rows]


def _reason(content: bytes) -> str:
    found = read("list.xlsx", content)
    assert isinstance(found, Unreadable)
    return found.reason


@pytest.mark.parametrize(
    ("value", "number_format", "shown"),
    [
        (14155550100, "General", "14155550100"),
        (14155550100.0, "0", "14155550100"),
        (1.41555501e10, "0.00E+00", "14155550100"),
        ("+1 415 555 0100", "@", "+1 415 555 0100"),
        (" 0044\n7700 ", "@", "0044\n7700"),
        (14155550100, "+0", "+14155550100"),
        (14155550100, '"+"0', "+14155550100"),
        (14155550100, r"\+#", "+14155550100"),
        (447700900123, "+## #### ######", "+447700900123"),
        (7700900123, "00000000000", "07700900123"),
        (7700900123, "00000 000000", "07700900123"),
        (4155550100, "[<=9999999]###-####;(###) ###-####", "4155550100"),
        (14155550100, "#,##0.00", "14155550100"),
        (0.5, "General", "0.5"),
        (True, "General", "True"),
        (dt.datetime(2026, 1, 5, tzinfo=None), "yyyy-mm-dd", "2026-01-05 00:00:00"),  # noqa: DTZ001 Excel has no zones
    ],
)
def test_a_cell_reads_as_it_is_shown(value: object, number_format: str, shown: str) -> None:
    assert _rows(workbook([[value]], formats={"A1": number_format})) == [(1, (shown,))]


def test_a_workbook_is_known_by_its_content_whatever_its_name() -> None:
    assert _rows(workbook([["a"]]), name="list.csv") == [(1, ("a",))]


def test_rows_keep_their_number_and_empty_ones_are_left_out() -> None:
    book = openpyxl.Workbook()
    book.worksheets[0]["B3"], book.worksheets[0]["D7"] = "a", "b"
    assert _rows(saved(book)) == [(3, ("", "a")), (7, ("", "", "", "b"))]


def test_hidden_and_empty_sheets_are_not_read() -> None:
    found = read("list.xlsx", workbook([], [["a"]], [["b"]], hidden=1))
    assert isinstance(found, Tables)
    assert [table.sheet for table in found.tables] == ["Sheet3"]
    assert _reason(workbook([])) == "This file is empty."


def test_a_formula_reads_as_what_it_last_gave() -> None:
    cells = '<c r="A1" t="str"><f>"+"&amp;B1</f><v>+14155550100</v></c><c r="B1"><f>1/0</f><v>5</v></c>'
    sheet = SHEET.format(f'<dimension ref="A1"/><sheetData><row r="1">{cells}</row></sheetData>')
    assert _rows(with_part(workbook([["x"]]), SHEET_PART, sheet.encode())) == [(1, ("+14155550100", "5"))]


def test_a_row_that_says_it_is_the_billionth_is_not_waited_for() -> None:
    sheet = SHEET.format(
        '<sheetData><row r="1"><c><v>7</v></c></row><row r="999999999"><c><v>8</v></c></row></sheetData>'
    )
    assert _rows(with_part(workbook([["x"]]), SHEET_PART, sheet.encode())) == [(1, ("7",))]


ENTITY = '<!DOCTYPE x [<!ENTITY a "7">]>' + SHEET.format("<sheetData><row><c><v>&a;</v></c></row></sheetData>")
TOO_LARGE = "This Excel file is too large."
BROKEN = "This Excel file can't be read."


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        (b"<x>" + b" " * 40_000_000, TOO_LARGE),
        (b"<c/>" * 3_000_001, TOO_LARGE),
        (ENTITY.encode(), BROKEN),
        (b"<sheetData", BROKEN),
        (SHEET.format('<sheetData><row><c t="s"><v>9</v></c></row></sheetData>').encode(), BROKEN),
        (
            SHEET.format("<sheetData>" + '<row><c r="ZZZ1"><v>1</v></c></row>' * 120 + "</sheetData>").encode(),
            "This file has more than 2,000,000 cells.",
        ),
    ],
)
def test_a_hostile_or_broken_workbook_is_refused(part: bytes, reason: str) -> None:
    assert _reason(with_part(workbook([["x"]]), SHEET_PART, part)).startswith(reason)


def test_other_archives_are_no_workbooks() -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
    assert _reason(archive.getvalue()).startswith("This isn't an Excel workbook.")
    assert _reason(workbook([["x"]])[:-30]).startswith(BROKEN)
