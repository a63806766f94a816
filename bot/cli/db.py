"""`rollcall db`: the database."""

import typer

from bot.cli.common import ConfigPath, load_settings, run_until_stopped
from bot.config import Settings
from bot.storage.database import Database

app = typer.Typer(help="Manage the database.", no_args_is_help=True)


@app.command()
def upgrade(config: ConfigPath = None) -> None:
    """Migrate the database to the newest version. Every start does this too."""
    run_until_stopped(_upgrade(load_settings(config)))


async def _upgrade(settings: Settings) -> None:
    database = Database(settings.storage.url)
    try:
        async with database.hold():
            await database.upgrade()
    finally:
        await database.aclose()
    typer.echo("The database is up to date.")
