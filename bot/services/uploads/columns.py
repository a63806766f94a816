"""Finds the column of a table in which the phone numbers stand, or tells which ones it could be."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.roster import RejectionCode, parse_cells
from bot.services.uploads.contents import Table
from bot.services.uploads.headings import Promise, may_be_number, promise

_SAMPLE = 200
"""Cells of a column that are tried, spread over the whole table."""
_ALMOST = 0.25
"""What a cell counts that is like a number but lacks a country code or has a wrong digit; a number counts 1."""
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
"""The share of numbers above which a column needs no heading to be believed."""
_CLEARLY = 2
_MOST_COLUMNS = 1000
_SHOWN = 2
_MOST_SHOWN = 40
_MOST_READ = 200


@dataclass(frozen=True, slots=True)
class Column:
    """A column that may hold the numbers.

    Attributes:
        index: its place, from 0.
        label: what to call it: its heading, or its letter as a spreadsheet shows it (`column C`).
        samples: its first cells that are not empty, two at most, shortened.
        promise: what its heading promises.
        score: how many cells of the sample read as a number, one that almost does counting less.
        filled: how many cells of the sample are not empty.
        alone: whether no other column of the table holds anything.
    """

    index: int
    label: str
    samples: tuple[str, ...]
    promise: Promise
    score: float
    filled: int
    alone: bool


def number_columns(table: Table, *, default_region: str | None = None) -> tuple[Column, ...]:
    """Give the columns that may hold the numbers, the likeliest first; the only column always may.

    Of a table with more than a thousand columns the first thousand are looked at.
    """
    cells = defaultdict[int, list[str]](list)
    for row in table.rows:
        for index, cell in enumerate(row.cells[:_MOST_COLUMNS]):
            if cell:
                cells[index].append(cell)
    columns = [_column(table, index, cells, default_region) for index in cells]
    likely = [column for column in columns if column.score or column.promise or column.alone]
    return tuple(sorted(likely, key=lambda column: (-column.score, -column.promise, column.index)))


def the_one(columns: Sequence[Column]) -> Column | None:
    """Choose among what `number_columns` gave; None where only the person who uploaded the file can.

    Headings go before counts, because the ten digits of an order number often are somebody's phone number too.
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


def reads_as_number(cell: str, default_region: str | None) -> float:
    """Tell how surely a cell holds a number: 1, 0, or a quarter where it is like one but nobody could be reached."""
    if not may_be_number(cell) or _DATE.fullmatch(cell):
        return 0
    roster = parse_cells([(0, cell[:_MOST_READ])], default_region=default_region)
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
        samples=tuple(cell[:_MOST_SHOWN] for cell in filled[:_SHOWN]),
        promise=promise(heading),
        score=sum(reads_as_number(cell, region) for cell in sample),
        filled=len(sample),
        alone=len(cells) == 1,
    )


def letters(index: int) -> str:
    """Name a column, counted from 0, as spreadsheets do: A to Z, AA to AZ, and so on."""
    letters = ""
    index += 1
    while index:
        index, letter = divmod(index - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return letters
