"""`rollcall demo`: a tour of the real bot in a sandbox."""

import logging
from typing import Annotated

import typer

from bot import log
from bot.cli.common import run_until_stopped


def demo(
    port: Annotated[int, typer.Option(help="The first port of the sandbox; 0 for free ones.")] = 8484,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the servers running after the tour.")] = False,
) -> None:
    """Play a tour: a sandbox workspace, simulated providers and the real bot, no account needed."""
    log.configure(json_lines=False, min_level=logging.WARNING)
    from bot.cli.demo.tour import play_tour  # noqa: PLC0415 - the bot itself never loads the sandbox

    run_until_stopped(play_tour(port=port, keep=keep))
