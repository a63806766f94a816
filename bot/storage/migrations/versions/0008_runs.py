"""Store the last request of a repeated sync, and its number of failed runs."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns. They are unknown for earlier runs."""
    op.add_column("schedules", sa.Column("request", sa.String(32), nullable=False, server_default=""))
    op.add_column("schedules", sa.Column("failed", sa.Integer, nullable=False, server_default="0"))
