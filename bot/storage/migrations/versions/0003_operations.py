"""Add the columns for all operations: options, schedules, stops, reminders, reasons and cooldowns."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns. Earlier rows are requests to add people, without options."""
    op.add_column("requests", sa.Column("details", sa.Text, nullable=False, server_default="{}"))
    op.add_column("requests", sa.Column("parent", sa.String(32), nullable=False, server_default=""))
    op.add_column("requests", sa.Column("run_at", sa.Float))
    op.add_column("requests", sa.Column("stopped_by", sa.String(32), nullable=False, server_default=""))
    op.add_column("requests", sa.Column("remind_at", sa.Float))
    op.add_column("requests", sa.Column("reminders", sa.Integer, nullable=False, server_default="0"))
    op.create_index("requests_by_requester", "requests", ["requester", "asked_at"])
    op.create_index("requests_by_parent", "requests", ["parent"])
    op.add_column("participants", sa.Column("operation", sa.String(16), nullable=False, server_default=""))
    op.add_column("participants", sa.Column("invited", sa.Integer, nullable=False, server_default="0"))
    op.add_column("decisions", sa.Column("reason", sa.Text, nullable=False, server_default=""))
    op.add_column("senders", sa.Column("rests_until", sa.Float, nullable=False, server_default="0"))
    op.add_column("senders", sa.Column("rests_for", sa.Text, nullable=False, server_default=""))
