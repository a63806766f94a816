"""The columns of an uploaded file among which its uploader chooses."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ColumnRef:
    """A column of one of a file's tables, both counted from 0. `str` and `from_text` carry it through a form."""

    table: int
    column: int

    def __str__(self) -> str:
        return f"{self.table}:{self.column}"

    @classmethod
    def from_text(cls, text: str) -> "ColumnRef | None":
        """Parse the output of `str`; return None for any other text."""
        found = re.fullmatch(r"([0-9]{1,6}):([0-9]{1,6})", text)
        return cls(int(found[1]), int(found[2])) if found else None


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """A column that may contain the phone numbers, with its name and its first values."""

    ref: ColumnRef
    label: str
    samples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ColumnChoices:
    """The columns of a sheet that may contain the phone numbers, the most likely first."""

    columns: tuple[ColumnChoice, ...]
    sheet: str
