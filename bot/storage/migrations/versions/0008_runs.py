"""Keep what the last run of a repeated sync asked for, and how often it could not be done."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the columns; of runs before nobody knows it."""
    op.add_column("schedules", sa.Column("request", sa.String(32), nullable=False, server_default=""))
    op.add_column("schedules", sa.Column("failed", sa.Integer, nullable=False, server_default="0"))
