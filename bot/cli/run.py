"""`rollcall run`: the bot."""

import asyncio
import sys

import structlog

from bot import bootstrap, log
from bot.cli.common import ConfigPath, load_settings, run_until_stopped
from bot.config import Settings
from bot.storage.postgres import ReplicaFenced


def run(config: ConfigPath = None) -> None:
    """Run the bot: in Socket Mode if SLACK_APP_TOKEN is set, otherwise over HTTP."""
    settings = load_settings(config)
    log.configure(json_lines=not sys.stderr.isatty())
    run_until_stopped(_serve(settings))


async def _serve(settings: Settings) -> None:
    """Run the bot until it is cancelled. A fenced replica starts anew, under a new id."""
    while True:
        try:
            async with bootstrap.running(settings):
                await asyncio.Event().wait()
        except ReplicaFenced as fenced:
            structlog.get_logger(__name__).warning("restarting", reason=str(fenced))
