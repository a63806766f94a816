"""CSV and similar formats: with commas, semicolons, tabs or pipes between the cells, or one cell on each line.

`csv.Sniffer` isn't used: it takes letters and spaces for delimiters, and hostile text keeps it busy for minutes.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterator

_DELIMITERS = "\t;|,"  # the rarest within a cell first
_NONE = "\x1f"
_DIRECTIVE = re.compile(r"sep=(.)", re.IGNORECASE)
_SAMPLE_LINES = 50
_SAMPLE_CHARACTERS = 1000


def rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a text, each with its first line, from 1. Never raises."""
    lines = text.rstrip("\n").split("\n")
    if directive := _DIRECTIVE.fullmatch(lines[0]):  # Excel writes and reads `sep=;`
        lines[0], delimiter = "", directive[1]
    else:
        delimiter = _delimiter(lines)
    if _is_well_formed(lines, delimiter):
        yield from _strictly(lines, delimiter)
    else:  # a stray quote: each line is read alone, so that it spoils no other
        for number, line in enumerate(lines, start=1):
            yield number, _cells(line, delimiter)


def _is_well_formed(lines: list[str], delimiter: str) -> bool:
    try:
        for _ in _strictly(lines, delimiter):
            pass
    except csv.Error:
        return False
    return True


def _strictly(lines: list[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows by RFC 4180, in which a quoted cell may have line breaks. Raises `csv.Error`."""
    reader = csv.reader((f"{line}\n" for line in lines), delimiter=delimiter, skipinitialspace=True, strict=True)
    first_line = 1
    for cells in reader:
        yield first_line, cells
        first_line = reader.line_num + 1


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error:  # longer than the csv module allows
        return line.split(delimiter)


def _delimiter(lines: list[str]) -> str:
    """Return the delimiter with which most lines have the same number of cells, more than one."""
    sample = [line[:_SAMPLE_CHARACTERS] for line in lines if line.strip()][:_SAMPLE_LINES]
    agreeing = dict.fromkeys(_DELIMITERS, 0)
    for delimiter in _DELIMITERS:
        widths = Counter(len(_cells(line, delimiter)) for line in sample)
        agreeing[delimiter] = max((lines for width, lines in widths.items() if width > 1), default=0)
    best = max(_DELIMITERS, key=lambda delimiter: agreeing[delimiter])
    return best if 2 * agreeing[best] >= max(len(sample), 1) else _NONE
