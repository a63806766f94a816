"""From an uploaded file to a roster: whose numbers are in it, or which column its uploader has to be asked for."""

from dataclasses import dataclass

from bot.domain.roster import Roster, parse_cells
from bot.domain.uploads import ColumnChoice, ColumnChoices, ColumnRef
from bot.services.uploads.columns import letters, number_columns, reads_as_number, the_one
from bot.services.uploads.contents import Cards, Table, Tables, Unreadable
from bot.services.uploads.headings import is_known
from bot.services.uploads.reader import read

_NO_NUMBERS = "There is no column of phone numbers in this file. Write each number with + and the country code."


@dataclass(frozen=True, slots=True)
class Found:
    """The people of a file.

    Attributes:
        roster: everything that its numbers are; a rejected entry has its line.
        source: where they were read, to tell: `column “Phone” of sheet “Team”`, `12 contact cards`.
        without: the lines of the rows and cards that have no number.
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
    name: str, content: bytes, place: ColumnRef, *, default_region: str | None = None
) -> Found | ColumnChoices | Unreadable:
    """Read the people of the column that was chosen; as `people_in` where the file has no such column."""
    contents = read(name, content)
    if isinstance(contents, Tables) and place.table < len(contents.tables):
        table = contents.tables[place.table]
        if place.column < table.width:
            return _of_column(table, place.column, default_region)
    return people_in(name, content, default_region=default_region)


def entries_of(table: Table, column: int) -> list[tuple[int, str]]:
    """Give the cells of a column that are not empty, each with its line."""
    return [(row.line, _separated(cell)) for row in table.rows if (cell := row.cell(column))]


def _separated(cell: str) -> str:
    return cell.replace(":::", "\n")  # Google Contacts writes it between several numbers of a person


def _of_cards(cards: Cards, region: str | None) -> Found:
    numbers = [(card.line, card.number) for card in cards.cards if card.number]
    without = tuple(card.line for card in cards.cards if not card.number)
    count = len(cards.cards)
    source = "1 contact card" if count == 1 else f"{count:,} contact cards"
    if several := sum(card.others > 0 for card in cards.cards):
        source += f", {several:,} with several numbers: of each the mobile, preferred or first one is taken"
    return Found(parse_cells(numbers, default_region=region), source, without)


def _of_tables(tables: tuple[Table, ...], region: str | None) -> Found | ColumnChoices | Unreadable:
    ranked = [number_columns(table, default_region=region) for table in tables]
    holding = [index for index, columns in enumerate(ranked) if any(column.score for column in columns)]
    holding = holding or [index for index, columns in enumerate(ranked) if columns]
    if not holding:
        return Unreadable(_NO_NUMBERS)
    index = holding[0]
    table, columns = tables[index], ranked[index]
    if _is_list(table, region):
        cells = [(row.line, cell) for row in table.rows for cell in row.cells if cell]
        return Found(parse_cells(cells, default_region=region), "the only line")
    if column := the_one(columns):
        return _of_column(table, column.index, region)
    choices = (ColumnChoice(ColumnRef(index, c.index), c.label, c.samples) for c in columns)
    return ColumnChoices(tuple(choices), table.sheet)


def _is_list(table: Table, region: str | None) -> bool:
    """Tell whether a table is not one, but numbers one after the other on a single line."""
    if table.heading.cells or len(table.rows) != 1:
        return False
    cells = [cell for cell in table.rows[0].cells if cell]
    people = sum(reads_as_number(cell, region) == 1 for cell in cells)
    return people > 1 and 2 * people >= len(cells) and all(any(map(str.isdecimal, cell)) for cell in cells)


def _of_column(table: Table, column: int, region: str | None) -> Found:
    heading = table.heading.cell(column)
    source = f"column “{heading}”" if heading else f"column {letters(column)}"
    if table.sheet:
        source += f" of sheet “{table.sheet}”"
    if heading and not is_known(table.heading.cells):
        source += f"; line {table.heading.line} is taken for headings"
    without = tuple(row.line for row in table.rows if not row.cell(column))
    return Found(parse_cells(entries_of(table, column), default_region=region), source, without)
