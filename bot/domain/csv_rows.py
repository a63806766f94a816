"""Rows of a CSV file (RFC 4180) that people open in a spreadsheet: no cell of them runs as a formula."""

import csv
import io
import re
from collections.abc import Iterable

COLUMNS = (
    "request_id",
    "operation",
    "connection",
    "group_id",
    "typed",
    "phone",
    "outcome",
    "evidence",
    "provider_code",
    "provider_message",
    "at",
)
"""What is said of a person, in the order that scripts rely on."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What makes a spreadsheet run a cell (OWASP, "CSV Injection")."""
_JUST_A_NUMBER = re.compile(r"\+[\d ().-]+")
"""A phone as people type it: the worst that a spreadsheet does with it is arithmetic, and scripts compare it."""


def csv_row(cells: Iterable[str]) -> str:
    """Write one row with its line break; a cell that a spreadsheet would run gets an apostrophe before it.

    >>> csv_row(["=1+1", "+14155550100"]).strip()
    "'=1+1,+14155550100"
    """
    line = io.StringIO()
    csv.writer(line).writerow([_harmless(cell) for cell in cells])
    return line.getvalue()


def _harmless(cell: str) -> str:
    if not cell.lstrip(" ").startswith(_FORMULA) or _JUST_A_NUMBER.fullmatch(cell):
        return cell
    return f"'{cell}"
