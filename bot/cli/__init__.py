"""The command line: `rollcall`, also `python -m bot`."""

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlalchemy.exc import SQLAlchemyError

from bot import bootstrap, log
from bot.cli import audit
from bot.cli.check import check as run_check
from bot.commands import manifest
from bot.config import ConfigurationError, Settings, load
from bot.domain.audit_chain import AuditGaps, ChainBreak
from bot.storage.database import Database
from bot.storage.sqlite import AlreadyRunning

ConfigPath = Annotated[Path | None, typer.Option("--config", help="The configuration; default: rollcall.toml here.")]

cli = typer.Typer(
    name="rollcall",
    help="A Slack bot for administering WhatsApp groups: every name gets an answer.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
database_commands = typer.Typer(help="The database.", no_args_is_help=True)
cli.add_typer(database_commands, name="db")
audit_commands = typer.Typer(help="The audit journal.", no_args_is_help=True)
cli.add_typer(audit_commands, name="audit")


@cli.command()
def run(config: ConfigPath = None) -> None:
    """Run the bot: in Socket Mode when SLACK_APP_TOKEN is set, else over HTTP."""
    settings = _load(config)
    log.configure(json_lines=not sys.stderr.isatty())
    _until_stopped(_serve(settings))


@cli.command()
def check(config: ConfigPath = None) -> None:
    """Check the configuration, Slack, and every connection's credentials and account."""
    settings = _load(config)
    log.configure(json_lines=False)
    try:
        findings = asyncio.run(run_check(settings))
    except ConfigurationError as error:
        _stop(str(error))
    table = Table("", "What", "Seen")
    for finding in findings:
        table.add_row("ok" if finding.ok else "FAILED", finding.subject, Text(finding.detail))
    Console().print(table)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


@cli.command(name="manifest")
def print_manifest(
    url: Annotated[str | None, typer.Option(help="The public https address, for HTTP instead of Socket Mode.")] = None,
) -> None:
    """Print the Slack app manifest."""
    try:
        typer.echo(manifest.manifest_yaml(url), nl=False)
    except ValueError as error:
        _stop(f"--url: {error}")


@cli.command()
def demo(
    port: Annotated[int, typer.Option(help="The first port of the sandbox; 0 takes free ones.")] = 8484,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the servers up after the tour.")] = False,
) -> None:
    """Play a tour: a sandbox workspace, simulated providers and the real bot, no account needed."""
    log.configure(json_lines=False, least=logging.WARNING)
    from bot.cli.demo import tour  # noqa: PLC0415 - the bot itself never loads the sandbox

    _until_stopped(tour(port=port, keep=keep))


@database_commands.command()
def upgrade(config: ConfigPath = None) -> None:
    """Bring the database to the newest version; also done at every start."""
    settings = _load(config)

    async def work() -> None:
        database = Database(settings.storage.url)
        try:
            async with database.hold():
                await database.upgrade()
        finally:
            await database.aclose()
        typer.echo("The database is at the newest version.")

    _until_stopped(work())


@audit_commands.command()
def verify(config: ConfigPath = None) -> None:
    """Check the audit journal: no row of it was changed, removed, added or moved, and none is missing at its end."""
    settings = _load(config)

    async def work() -> None:
        found = await audit.verify(settings)
        if isinstance(found, ChainBreak):
            typer.echo(f"rollcall: the audit journal is broken: row {found.seq} was {found.fault}", err=True)
            raise typer.Exit(1)
        if isinstance(found, AuditGaps):
            line = f"the audit journal was cut or emptied: it tells nothing of what the database holds ({found})"
            typer.echo(f"rollcall: {line}", err=True)
            raise typer.Exit(1)
        typer.echo(f"The audit journal is whole. Rows: {found.seq}. Last hash: {found.hash}")

    _until_stopped(work())


@audit_commands.command()
def export(
    since: Annotated[str | None, typer.Option(help="The first day, or moment, in ISO 8601 (UTC).")] = None,
    form: Annotated[str, typer.Option("--format", help="csv or jsonl.")] = audit.Format.CSV,
    config: ConfigPath = None,
) -> None:
    """Write the audit journal to stdout."""
    try:
        start = None if since is None else audit.moment_of(since)
    except ValueError:
        _stop(f"--since: {since!r} is no date; write it as 2026-03-01")
    if form not in list(audit.Format):
        _stop(f"--format: {form!r} is unknown; it is csv or jsonl")
    settings = _load(config)

    async def work() -> None:
        try:
            await audit.export(settings, start, audit.Format(form))
        except ValueError as error:
            typer.echo(f"rollcall: {error}; see rollcall audit verify", err=True)
            raise typer.Exit(1) from None

    _until_stopped(work())


def main() -> None:
    """Run the command line; a wrong configuration is one line on stderr and exit code 2."""
    cli()


async def _serve(settings: Settings) -> None:
    async with bootstrap.running(settings):
        await asyncio.Event().wait()


def _until_stopped(work: Coroutine[object, object, None]) -> None:
    """Run `work` to its end, or until SIGINT or SIGTERM; either way everything it opened is closed."""

    async def guarded() -> None:
        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await task

    try:
        asyncio.run(guarded())
    except (ConfigurationError, AlreadyRunning, OSError) as error:
        _stop(str(error))
    except SQLAlchemyError as error:
        _stop(f"storage.url: the database cannot be used ({type(error).__name__}: {str(error).splitlines()[0][:200]})")


def _load(config: Path | None) -> Settings:
    try:
        return load(config)
    except ConfigurationError as error:
        _stop(str(error))


def _stop(line: str) -> NoReturn:
    typer.echo(f"rollcall: {line}", err=True)
    raise typer.Exit(2)
