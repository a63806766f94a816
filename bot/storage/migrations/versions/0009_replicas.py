"""Store the replicas, and which of them runs a schedule or has a call in progress."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table and the columns."""
    op.create_table(
        "replicas",
        sa.Column("id", sa.String(100), primary_key=True),
        sa.Column("seen_at", sa.Float, nullable=False),
        sa.Column("fenced_at", sa.Float),
    )
    for table in ("senders", "schedules"):
        op.add_column(table, sa.Column("replica", sa.String(100), nullable=False, server_default=""))
