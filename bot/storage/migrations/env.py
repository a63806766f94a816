"""Runs the migrations on the connection that `Database.upgrade` opened."""

from alembic import context

from bot.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table="rollcall_version",
    render_as_batch=True,
)
context.run_migrations()
