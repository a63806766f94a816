"""The content of an uploaded file: tables, contact cards, or the reason why it can't be read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.services.uploads import headings
from providers.text import clean_text

MAX_BYTES = 20_000_000
"""The largest file that is read. The parts of a workbook may unpack to twice as much."""
MAX_ROWS = 100_000
MAX_CELLS = 2_000_000
"""Empty cells between others count, so that a small file can't unpack to a huge table."""
MAX_CELL_LENGTH = 1_000_000
"""The maximum length of a cell. A longer one isn't a table's; Excel's cells have at most 32,767."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that can't be read: the reason, as a sentence for the person who uploaded it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Row:
    """A non-empty row.

    Attributes:
        line: its first line in a text file, or its row in a sheet, from 1.
        cells: its cells, stripped, without empty ones at the end.
    """

    line: int
    cells: tuple[str, ...]

    def cell(self, column: int) -> str:
        """Return the cell in a column, counted from 0; empty if the row is shorter."""
        return self.cells[column] if column < len(self.cells) else ""


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV file, or one sheet of a workbook.

    Attributes:
        rows: the rows under the headings, or all rows if there are none.
        heading: the row of headings; line 0 without cells if there is none.
        sheet: the name of the sheet; empty for a text file.
    """

    rows: tuple[Row, ...]
    heading: Row = Row(0, ())
    sheet: str = ""

    @property
    def width(self) -> int:
        """The number of columns."""
        return max((len(row.cells) for row in (self.heading, *self.rows)), default=0)


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of a file, at least one, none of them empty."""

    tables: tuple[Table, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """One contact card.

    Attributes:
        line: the line of its number, or its first line if it has none; from 1.
        name: the person's name; may be empty.
        number: the number that is most likely on WhatsApp; empty if the card has none.
        others: the number of other phone numbers.
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
    """A file can't be read; `read` returns it as `Unreadable`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Budget:
    """Counts the rows and cells of all tables of a file, to keep them within the limits."""

    def __init__(self) -> None:
        self._rows = self._cells = 0

    def table(self, lines: Iterable[tuple[int, Sequence[str]]], sheet: str = "") -> Table | None:
        """Return numbered lines as a table; None if all are empty. Raises `CannotRead` if there are too many."""
        rows = []
        for line, cells in lines:
            self._cells += len(cells)
            if self._cells > MAX_CELLS:
                raise CannotRead(f"This file has more than {MAX_CELLS:,} cells. Upload the column of numbers only.")
            if any(len(cell) > MAX_CELL_LENGTH for cell in cells):
                raise CannotRead(f"Line {line:,} of this file has a cell that is too long. Upload the numbers only.")
            if row := _stripped(cells):
                self._rows += 1
                if self._rows > MAX_ROWS:
                    raise CannotRead(f"This file has more than {MAX_ROWS:,} rows. Upload it in parts.")
                rows.append(Row(line, row))
        if not rows:
            return None
        heading = headings.heading_row([row.cells for row in rows])
        if heading is None:
            return Table(tuple(rows), sheet=sheet)
        return Table(tuple(rows[heading + 1 :]), rows[heading], sheet)


def _stripped(cells: Sequence[str]) -> tuple[str, ...]:
    row = [clean_text(cell).strip() for cell in cells]
    while row and not row[-1]:
        row.pop()
    return tuple(row)
