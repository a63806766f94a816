"""Rows of CSV files (RFC 4180) for spreadsheets: no cell runs as a formula."""

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
"""The columns of a result, in the order that scripts rely on."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""The characters that make a spreadsheet run a cell (OWASP, "CSV Injection")."""
_JUST_A_NUMBER = re.compile(r"\+[\d ().-]+")
"""A phone as typed. It stays as it is, because scripts compare it: a spreadsheet can only do arithmetic with it."""


def csv_row(cells: Iterable[str]) -> str:
    """Return one row with its line break. A cell that a spreadsheet would run gets an apostrophe in front.

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
