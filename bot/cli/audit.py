"""`rollcall audit`: checks the audit journal's chain, and writes the journal out; the bot may run meanwhile."""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from enum import StrEnum

from bot.config import ConfigurationError, Settings
from bot.domain.audit_chain import EXPORT_COLUMNS, AuditGaps, AuditRow, ChainBreak, ChainHead
from bot.domain.csv_rows import csv_row
from bot.storage.audit import AuditJournal
from bot.storage.database import Database


class Format(StrEnum):
    """How the journal is written out."""

    CSV = "csv"
    JSONL = "jsonl"


def moment_of(written: str) -> datetime:
    """Read a day or a moment in ISO 8601, by UTC where it names no zone. Raises `ValueError` for anything else."""
    at = datetime.fromisoformat(written)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


async def verify(settings: Settings) -> ChainHead | ChainBreak | AuditGaps:
    """Walk the chain; give its end, where it is broken first, or what it tells nothing of."""
    async with _reading(settings) as audit:
        return await audit.verify()


async def export(settings: Settings, since: datetime | None, form: Format) -> None:
    """Write the journal to stdout, from `since` (aware) on; who reads may stop whenever they like.

    Raises:
        ValueError: a row was changed into something that cannot be read; those before it are written.
    """
    try:
        if form is Format.CSV:
            _write(csv_row(EXPORT_COLUMNS))
        async with _reading(settings) as audit:
            async for row in audit.rows(since=since):
                _write(_line(row, form))
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that Python's last flush finds it open


def _line(row: AuditRow, form: Format) -> str:
    return row.as_csv() if form is Format.CSV else row.as_json()


def _write(line: str) -> None:
    """Write to stdout in UTF-8, whatever the terminal is set to, and with the line's own line break."""
    sys.stdout.buffer.write(line.encode())


@asynccontextmanager
async def _reading(settings: Settings) -> AsyncIterator[AuditJournal]:
    """Open the database as it is. Raises `ConfigurationError` where there is none: to make one would tell nothing."""
    database = Database(settings.storage.url)
    if database.file is not None and not database.file.exists():
        raise ConfigurationError(f"storage.url: there is no database {database.file}; the bot makes it when it starts")
    try:
        yield AuditJournal(database)
    finally:
        await database.aclose()
