"""`rollcall demo`: the real bot in a sandbox, in the browser or as a tour in the terminal."""

import logging
from typing import Annotated

import typer

from bot import log
from bot.cli.common import fail, run_until_stopped


def demo(
    port: Annotated[int, typer.Option(help="The first port of the sandbox; 0 for free ones.")] = 8484,
    tour: Annotated[bool, typer.Option("--tour", help="Play a tour in the terminal instead, and end.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Play the tour, and keep the servers running.")] = False,
) -> None:
    """Open a sandbox workspace in the browser, with simulated providers and the real bot. No account needed."""
    log.configure(json_lines=False, min_level=logging.WARNING)
    # The bot itself never loads the sandbox.
    from bot.cli.demo.tour import play_tour  # noqa: PLC0415 - see above
    from bot.cli.demo.workspace import open_workspace  # noqa: PLC0415 - see above

    try:
        run_until_stopped(play_tour(port=port, keep=keep) if tour or keep else open_workspace(port=port))
    except RuntimeError as problem:
        fail(str(problem), code=1)
