"""What an uploaded file holds: tables, contact cards, or nothing that can be read, with the reason."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.services.uploads import headings

MOST_BYTES = 20_000_000
"""The largest file that is read; the same bounds what a workbook's parts may unpack to, twice over."""
MOST_ROWS = 100_000
MOST_CELLS = 2_000_000
"""Empty ones between others count, so that a small file cannot stand for a huge table."""

MOST_CHARACTERS = 1_000_000
"""In one cell: more come of a file that is no table. Excel's cells hold 32,767."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file of which nothing is read: the reason, as a sentence for whoever uploaded it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row that is not empty.

    Attributes:
        line: where it begins, from 1: the line of a text file, the row of a sheet.
        cells: what it holds, without spaces around and without empty cells at the end.
    """

    line: int
    cells: tuple[str, ...]

    def cell(self, column: int) -> str:
        """What stands in a column, counted from 0; empty where the row is shorter."""
        return self.cells[column] if column < len(self.cells) else ""


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV file, or one sheet of a workbook.

    Attributes:
        rows: what stands under the heading, or everything where there is none.
        heading: the row of headings; without one, line 0 and no cells.
        sheet: the name of the sheet; empty for a text file.
    """

    rows: tuple[Row, ...]
    heading: Row = Row(0, ())
    sheet: str = ""

    @property
    def width(self) -> int:
        """How many columns there are."""
        return max((len(row.cells) for row in (self.heading, *self.rows)), default=0)


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of a file, at least one, none of them empty."""

    tables: tuple[Table, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """One contact card.

    Attributes:
        line: where its number stands, or where it begins if it has none; from 1.
        name: the person's name, to show; may be empty.
        number: the number under which WhatsApp is most likely to know the person; empty if the card has none.
        others: how many other phone numbers the card has.
    """

    line: int
    name: str
    number: str
    others: int = 0


@dataclass(frozen=True, slots=True)
class Cards:
    """The contact cards of a vCard file, at least one."""

    cards: tuple[Card, ...]


class CannotRead(Exception):
    """Ends the reading of a file; `read` makes an `Unreadable` of it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Budget:
    """Counts what the tables of one file hold, so that all of them together stay within the limits."""

    def __init__(self) -> None:
        self._rows = self._cells = 0

    def table(self, lines: Iterable[tuple[int, Sequence[str]]], sheet: str = "") -> Table | None:
        """Make a table of numbered lines; None if all are empty. Raises `CannotRead` where they are too many."""
        rows = []
        for line, cells in lines:
            self._cells += len(cells)
            if self._cells > MOST_CELLS:
                raise CannotRead(f"This file has more than {MOST_CELLS:,} cells. Upload the column of numbers only.")
            if any(len(cell) > MOST_CHARACTERS for cell in cells):
                raise CannotRead(f"Line {line:,} of this file has a cell that is too long. Upload the numbers only.")
            if full := _full(cells):
                self._rows += 1
                if self._rows > MOST_ROWS:
                    raise CannotRead(f"This file has more than {MOST_ROWS:,} rows. Upload it in parts.")
                rows.append(Row(line, full))
        if not rows:
            return None
        heading = headings.place([row.cells for row in rows])
        if heading is None:
            return Table(tuple(rows), sheet=sheet)
        return Table(tuple(rows[heading + 1 :]), rows[heading], sheet)


def _full(cells: Sequence[str]) -> tuple[str, ...]:
    stripped = [cell.strip() for cell in cells]
    while stripped and not stripped[-1]:
        stripped.pop()
    return tuple(stripped)
