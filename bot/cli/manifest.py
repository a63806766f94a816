"""`rollcall manifest`: the manifest of the Slack app."""

from typing import Annotated

import typer

from bot.cli.common import fail
from bot.commands.manifest import manifest_yaml


def manifest(
    url: Annotated[
        str | None, typer.Option(help="The bot's public https address, for HTTP instead of Socket Mode.")
    ] = None,
) -> None:
    """Print the Slack app manifest."""
    try:
        typer.echo(manifest_yaml(url), nl=False)
    except ValueError as error:
        fail(f"--url: {error}")
