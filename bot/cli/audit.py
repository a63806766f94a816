"""`rollcall audit`: checks and exports the audit journal. The bot may be running."""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from bot.cli.common import ConfigPath, fail, load_settings, run_until_stopped
from bot.config import ConfigurationError, Settings
from bot.domain.audit_chain import EXPORT_COLUMNS, AuditGaps, AuditRow, ChainBreak, ChainHead
from bot.domain.csv_rows import csv_row
from bot.storage.audit import AuditJournal
from bot.storage.database import Database

app = typer.Typer(help="Check and export the audit journal.", no_args_is_help=True)


class Format(StrEnum):
    """The format of an export."""

    CSV = "csv"
    JSONL = "jsonl"


@app.command()
def verify(config: ConfigPath = None) -> None:
    """Check that no row of the audit journal was changed, removed, added or moved."""
    run_until_stopped(_verify(load_settings(config)))


@app.command()
def export(
    since: Annotated[str | None, typer.Option(help="The first day or time, in ISO 8601 (UTC).")] = None,
    form: Annotated[str, typer.Option("--format", help="csv or jsonl.")] = Format.CSV,
    config: ConfigPath = None,
) -> None:
    """Write the audit journal to stdout."""
    try:
        start = None if since is None else _parse_time(since)
    except ValueError:
        fail(f"--since: {since!r} isn't a date; write it as 2026-03-01")
    if form not in list(Format):
        fail(f"--format: {form!r} isn't a format; use csv or jsonl")
    run_until_stopped(_export(load_settings(config), start, Format(form)))


def _parse_time(text: str) -> datetime:
    """Parse a day or a time in ISO 8601, in UTC if it names no zone. Raises `ValueError` if it is neither."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


async def _verify(settings: Settings) -> None:
    async with _opened(settings) as audit:
        result = await audit.verify()
    match result:
        case ChainBreak(seq=seq, fault=fault):
            fail(f"the audit journal is broken: row {seq} was {fault}", code=1)
        case AuditGaps():
            fail(f"the audit journal was truncated: it lacks records of other tables ({result})", code=1)
        case ChainHead(seq=seq, hash=hash_):
            typer.echo(f"The audit journal is intact. Rows: {seq}. Last hash: {hash_}")


async def _export(settings: Settings, since: datetime | None, form: Format) -> None:
    """Write the journal from `since` (aware) on to stdout. The reader may close the pipe at any time."""
    try:
        if form is Format.CSV:
            _write(csv_row(EXPORT_COLUMNS))
        async with _opened(settings) as audit:
            async for row in audit.rows(since=since):
                _write(_line(row, form))
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that Python's last flush succeeds
    except ValueError as error:  # a row was changed so that it can't be read; the rows before it are written
        fail(f"{error}; see rollcall audit verify", code=1)


def _line(row: AuditRow, form: Format) -> str:
    return row.as_csv() if form is Format.CSV else row.as_json()


def _write(line: str) -> None:
    """Write to stdout in UTF-8 whatever the terminal's encoding, with the line's own line break."""
    sys.stdout.buffer.write(line.encode())


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[AuditJournal]:
    """Open the journal of an existing database. Raises `ConfigurationError` if there is none."""
    database = Database(settings.storage.url)
    if database.file is not None and not database.file.exists():
        raise ConfigurationError(f"storage.url: there is no database {database.file}; the bot creates it at its start")
    try:
        yield AuditJournal(database)
    finally:
        await database.aclose()
