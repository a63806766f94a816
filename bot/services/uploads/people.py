"""From an uploaded file to a roster, or to the columns of which the person who uploaded it must choose one."""

from dataclasses import dataclass

from bot.domain.names import clean_name
from bot.domain.roster import Cell, Roster, parse_cells
from bot.domain.uploads import ColumnChoice, ColumnChoices, ColumnRef
from bot.services.uploads.columns import certain_column, letters, number_columns, number_score
from bot.services.uploads.contents import Cards, Row, Table, Tables, Unreadable
from bot.services.uploads.headings import is_known, is_word, name_columns
from bot.services.uploads.reader import read

_NO_NUMBERS = "This file has no column of phone numbers. Use numbers with + and the country code."


@dataclass(frozen=True, slots=True)
class Found:
    """The people of a file.

    Attributes:
        roster: its people; rejected entries have their line.
        source: where they were read, in words: `column “Phone” of sheet “Team”`, `12 contact cards`.
        without: the lines of the rows and cards without a number.
    """

    roster: Roster
    source: str
    without: tuple[int, ...] = ()


def people_in(name: str, content: bytes, *, default_region: str | None = None) -> Found | ColumnChoices | Unreadable:
    """Read the people of an uploaded file. Never raises. A large file takes seconds: call it in a thread.

    Args:
        name: the file's name.
        content: its bytes.
        default_region: as for `bot.domain.roster.parse`.
    """
    match read(name, content):
        case Cards() as cards:
            return _of_cards(cards, default_region)
        case Tables(tables):
            return _of_tables(tables, default_region)
        case unreadable:
            return unreadable


def people_in_column(
    name: str, content: bytes, column: ColumnRef, *, default_region: str | None = None
) -> Found | ColumnChoices | Unreadable:
    """Read the people of the chosen column, or as `people_in` does if the file has no such column."""
    contents = read(name, content)
    if isinstance(contents, Tables) and column.table < len(contents.tables):
        table = contents.tables[column.table]
        if column.column < table.width:
            return _of_column(table, column.column, default_region)
    return people_in(name, content, default_region=default_region)


def entries_of(table: Table, column: int) -> list[Cell]:
    """Return the non-empty cells of a column, each with its line and the name in its row."""
    names = _names(table, column)
    return [Cell(row.line, _separated(cell), _name(row, names)) for row in table.rows if (cell := row.cell(column))]


def _names(table: Table, numbers: int) -> tuple[int, ...]:
    """Return the columns with the names of people: by the headings, else the only other column if it has only words."""
    if table.heading.cells:
        return tuple(column for column in name_columns(table.heading.cells) if column != numbers)
    others = {index for row in table.rows for index, cell in enumerate(row.cells) if cell and index != numbers}
    if len(others) != 1 or not all(is_word(row.cell(*others)) for row in table.rows if row.cell(*others)):
        return ()
    return tuple(others)


def _name(row: Row, columns: tuple[int, ...]) -> str:
    return clean_name(" ".join(row.cell(column) for column in columns))


def _separated(cell: str) -> str:
    return cell.replace(":::", "\n")  # Google Contacts separates the numbers of a person with it


def _of_cards(cards: Cards, region: str | None) -> Found:
    numbers = [Cell(card.line, card.number, clean_name(card.name)) for card in cards.cards if card.number]
    without = tuple(card.line for card in cards.cards if not card.number)
    count = len(cards.cards)
    source = "1 contact card" if count == 1 else f"{count:,} contact cards"
    if several := sum(card.others > 0 for card in cards.cards):
        source += f", {several:,} with several numbers: the mobile, preferred or first one of each is used"
    return Found(parse_cells(numbers, default_region=region), source, without)


def _of_tables(tables: tuple[Table, ...], region: str | None) -> Found | ColumnChoices | Unreadable:
    ranked = [number_columns(table, default_region=region) for table in tables]
    useful = [index for index, columns in enumerate(ranked) if any(column.score for column in columns)]
    useful = useful or [index for index, columns in enumerate(ranked) if columns]
    if not useful:
        return Unreadable(_NO_NUMBERS)
    index = useful[0]
    table, columns = tables[index], ranked[index]
    if _is_list(table, region):
        cells = [Cell(row.line, cell) for row in table.rows for cell in row.cells if cell]
        return Found(parse_cells(cells, default_region=region), "the only line")
    if column := certain_column(columns):
        return _of_column(table, column.index, region)
    choices = (ColumnChoice(ColumnRef(index, c.index), c.label, c.samples) for c in columns)
    return ColumnChoices(tuple(choices), table.sheet)


def _is_list(table: Table, region: str | None) -> bool:
    """Return whether a table is only a line of numbers."""
    if table.heading.cells or len(table.rows) != 1:
        return False
    cells = [cell for cell in table.rows[0].cells if cell]
    people = sum(number_score(cell, region) == 1 for cell in cells)
    return people > 1 and 2 * people >= len(cells) and all(any(map(str.isdecimal, cell)) for cell in cells)


def _of_column(table: Table, column: int, region: str | None) -> Found:
    heading = table.heading.cell(column)
    source = f"column “{heading}”" if heading else f"column {letters(column)}"
    if table.sheet:
        source += f" of sheet “{table.sheet}”"
    if heading and not is_known(table.heading.cells):
        source += f"; line {table.heading.line} is used as the headings"
    without = tuple(row.line for row in table.rows if not row.cell(column))
    return Found(parse_cells(entries_of(table, column), default_region=region), source, without)
