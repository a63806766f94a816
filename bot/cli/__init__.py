"""The command line: `rollcall`, also `python -m bot`. Each command has a module."""

from importlib.metadata import version
from typing import Annotated

import typer

from bot.cli import audit, check, db, demo, manifest, run

app = typer.Typer(
    name="rollcall",
    help="A Slack bot for administering WhatsApp groups: every name gets an answer.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"rollcall {version('rollcall')}")
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


app.command()(run.run)
app.command()(check.check)
app.command()(manifest.manifest)
app.command()(demo.demo)
app.add_typer(db.app, name="db")
app.add_typer(audit.app, name="audit")


def main() -> None:
    """Run the command line. An invalid configuration is one line on stderr and exit code 2."""
    app()
