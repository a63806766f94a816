"""`rollcall run`: the bot."""

import asyncio
import sys

from bot import bootstrap, log
from bot.cli.common import ConfigPath, load_settings, run_until_stopped
from bot.config import Settings


def run(config: ConfigPath = None) -> None:
    """Run the bot: in Socket Mode if SLACK_APP_TOKEN is set, otherwise over HTTP."""
    settings = load_settings(config)
    log.configure(json_lines=not sys.stderr.isatty())
    run_until_stopped(_serve(settings))


async def _serve(settings: Settings) -> None:
    async with bootstrap.running(settings):
        await asyncio.Event().wait()
