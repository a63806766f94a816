"""What the commands share: the `--config` option, running until a signal, and failing with one line."""

import asyncio
import contextlib
import signal
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from sqlalchemy.exc import SQLAlchemyError

from bot.config import ConfigurationError, Settings, load
from bot.storage.sqlite import AlreadyRunning

ConfigPath = Annotated[
    Path | None, typer.Option("--config", help="The configuration file. Default: rollcall.toml in this directory.")
]


def load_settings(config: Path | None) -> Settings:
    """Read the configuration; exit if it is invalid."""
    try:
        return load(config)
    except ConfigurationError as error:
        fail(str(error))


def run_until_stopped(work: Coroutine[object, object, None]) -> None:
    """Run `work` to its end, or until SIGINT or SIGTERM cancels it. Exit if it can't start."""

    async def cancellable() -> None:
        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await task

    try:
        asyncio.run(cancellable())
    except (ConfigurationError, AlreadyRunning, OSError) as error:
        fail(str(error))
    except SQLAlchemyError as error:
        fail(f"storage.url: can't use the database ({type(error).__name__}: {str(error).splitlines()[0][:200]})")


def fail(*lines: str, code: int = 2) -> NoReturn:
    """Print lines on stderr, and exit: with 1 if a check failed, with 2 for wrong usage or configuration."""
    for line in lines:
        typer.echo(f"rollcall: {line}", err=True)
    raise typer.Exit(code)
