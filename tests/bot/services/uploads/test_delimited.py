import pytest

from bot.services.uploads.contents import Tables, Unreadable
from bot.services.uploads.reader import read
from tests.bot.services.uploads.making import delimited

ROWS = [["Name", "Phone"], ["José Ñandú", "+1 415 555 0100"], ["Lee, Ann", "+44 7700 900123"]]


def _rows(content: bytes) -> list[tuple[int, tuple[str, ...]]]:
    found = read("list.csv", content)
    assert isinstance(found, Tables)
    (table,) = found.tables
    heading = [table.heading] if table.heading.cells else []
    return [(row.line, row.cells) for row in [*heading, *table.rows]]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1"]
)
def test_a_table_reads_the_same_in_every_encoding_and_with_every_delimiter(encoding: str, delimiter: str) -> None:
    content = delimited(ROWS, delimiter=delimiter, encoding=encoding)
    assert _rows(content) == [(line, tuple(row)) for line, row in enumerate(ROWS, start=1)]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a,b\r\nc,d\r\n", [(1, ("a", "b")), (2, ("c", "d"))]),
        ("a,b\rc,d\r", [(1, ("a", "b")), (2, ("c", "d"))]),
        ("a,b\n\n  \n,\nc,d\n", [(1, ("a", "b")), (5, ("c", "d"))]),
        ('a,"b\nb"\nc,d', [(1, ("a", "b\nb")), (3, ("c", "d"))]),
        ('a, "b, b"\nc,d', [(1, ("a", "b, b")), (2, ("c", "d"))]),
        ('a,"b""b"\nc,d', [(1, ("a", 'b"b')), (2, ("c", "d"))]),
        ('a,"b\nc,d\ne,f', [(1, ("a", "b")), (2, ("c", "d")), (3, ("e", "f"))]),
        ('a,"b"b\nc,d', [(1, ("a", "bb")), (2, ("c", "d"))]),
        ("sep=;\na;b,b\nc;d,d", [(2, ("a", "b,b")), (3, ("c", "d,d"))]),
        ("Lee, Ann;b\nRay, Bob;d", [(1, ("Lee, Ann", "b")), (2, ("Ray, Bob", "d"))]),
        ("a\nb\nc, d\ne", [(1, ("a",)), (2, ("b",)), (3, ("c, d",)), (4, ("e",))]),
        ("a\0,b\nc,d", [(1, ("a", "b")), (2, ("c", "d"))]),
        ("a,b,,\nc,d,,", [(1, ("a", "b")), (2, ("c", "d"))]),
        ("a", [(1, ("a",))]),
        ('"' + "x" * 200_000 + "\nb", [(1, ('"' + "x" * 200_000,)), (2, ("b",))]),
    ],
)
def test_every_row_has_the_line_it_begins_on(text: str, rows: list[tuple[int, tuple[str, ...]]]) -> None:
    assert _rows(text.encode()) == rows


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", b"", "This file is empty."),
        ("a.csv", b"\xef\xbb\xbf \r\n,,\r\n", "This file is empty."),
        ("a.csv", b"x" * 20_000_001, "This file is larger than 20 MB. Upload it in parts."),
        ("a.csv", b"1\n" * 100_001, "This file has more than 100,000 rows. Upload it in parts."),
        ("a.csv", b"," * 2_000_000, "This file has more than 2,000,000 cells. Upload the column of numbers only."),
        ("a.csv", b"a,b\nc," + b"1" * 1_000_001, "Line 2 of this file has a cell that is too long."),
        ("a.pdf", b"%PDF-1.7\n1 0 obj", "This isn't a CSV file, an Excel workbook"),
        (
            "a.csv",
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\1\0\x06\x07\x02",
            "This isn't a CSV file, an Excel workbook",
        ),
        ("a.vcf", b"name,phone", "This file has no contact card."),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504), "This Excel file is old or has a password."),
    ],
)
def test_what_cannot_be_read_says_why(name: str, content: bytes, reason: str) -> None:
    found = read(name, content)
    assert isinstance(found, Unreadable)
    assert found.reason.startswith(reason)
