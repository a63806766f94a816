"""Finds the column with the phone numbers in a table, or the columns that it could be."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.roster import Cell, RejectionCode, parse_cells
from bot.services.uploads.contents import Table
from bot.services.uploads.headings import Promise, may_be_number, promise

_SAMPLE = 200
"""The number of cells of a column that are tried, spread over the whole table."""
_ALMOST = 0.25
"""The score of a cell that is like a number but lacks a country code or has a wrong digit; a number scores 1."""
_LIKE_A_NUMBER = frozenset(
    {
        RejectionCode.NO_COUNTRY_CODE,
        RejectionCode.UNKNOWN_COUNTRY_CODE,
        RejectionCode.NOT_VALID,
        RejectionCode.EXTENSION,
        RejectionCode.SPREADSHEET,
    }
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d\b.*|\d\d?[./-]\d\d?[./-]\d{4}\b.*", re.DOTALL)
_SURE = 0.8
"""The share of numbers above which a column needs no heading."""
_CLEARLY = 2
_MAX_COLUMNS = 1000
_SAMPLES = 2
_MAX_SAMPLE_LENGTH = 40
_MAX_CELL = 200


@dataclass(frozen=True, slots=True)
class Column:
    """A column that may have the numbers.

    Attributes:
        index: its index, from 0.
        label: its heading, or its letter as in a spreadsheet (`column C`).
        samples: its first non-empty cells, two at most, shortened.
        promise: how much its heading promises.
        score: the number of sampled cells that are phone numbers; one that almost is counts less.
        filled: the number of non-empty sampled cells.
        alone: whether all other columns of the table are empty.
    """

    index: int
    label: str
    samples: tuple[str, ...]
    promise: Promise
    score: float
    filled: int
    alone: bool


def number_columns(table: Table, *, default_region: str | None = None) -> tuple[Column, ...]:
    """Return the columns that may have the numbers, the likeliest first. An only column always may.

    Only the first thousand columns are read.
    """
    cells = defaultdict[int, list[str]](list)
    for row in table.rows:
        for index, cell in enumerate(row.cells[:_MAX_COLUMNS]):
            if cell:
                cells[index].append(cell)
    columns = [_column(table, index, cells, default_region) for index in cells]
    likely = [column for column in columns if column.score or column.promise or column.alone]
    return tuple(sorted(likely, key=lambda column: (-column.score, -column.promise, column.index)))


def certain_column(columns: Sequence[Column]) -> Column | None:
    """Choose one of the columns of `number_columns`; None if only the person who uploaded the file can.

    Headings precede counts, because ten digits of an order number are often a valid phone number too.
    """
    if not columns:
        return None
    best = columns[0]
    if best.alone:
        return best
    promised = [column for column in columns if column.promise]
    pool = [column for column in promised if column.score] or promised
    if not pool:
        clear = len(columns) == 1 or best.score >= _CLEARLY * columns[1].score
        return best if clear and best.score >= _SURE * best.filled else None
    if best not in pool and best.score >= 2 * _CLEARLY * pool[0].score:
        return None
    leading = [column for column in pool if _CLEARLY * column.score >= pool[0].score]
    contenders = [column for column in pool if column.promise is Promise.WHATSAPP] or leading
    return contenders[0] if len(contenders) == 1 and contenders[0] in leading else None


def number_score(cell: str, default_region: str | None) -> float:
    """Return how certainly a cell has a phone number: 1, 0, or a quarter if it is like one but not valid."""
    if not may_be_number(cell) or _DATE.fullmatch(cell):
        return 0
    roster = parse_cells([Cell(0, cell[:_MAX_CELL])], default_region=default_region)
    if roster.people:
        return 1
    return _ALMOST if any(entry.code in _LIKE_A_NUMBER for entry in roster.rejected) else 0


def _column(table: Table, index: int, cells: dict[int, list[str]], region: str | None) -> Column:
    filled = cells[index]
    sample = filled[:: -(-len(filled) // _SAMPLE)]
    heading = table.heading.cell(index)
    return Column(
        index,
        label=heading or f"column {letters(index)}",
        samples=tuple(cell[:_MAX_SAMPLE_LENGTH] for cell in filled[:_SAMPLES]),
        promise=promise(heading),
        score=sum(number_score(cell, region) for cell in sample),
        filled=len(sample),
        alone=len(cells) == 1,
    )


def letters(index: int) -> str:
    """Return the name of a column, counted from 0, as in spreadsheets: A to Z, AA to AZ, and so on."""
    letters = ""
    index += 1
    while index:
        index, letter = divmod(index - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return letters
