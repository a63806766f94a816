"""Create the tables of requests, participants, decisions, postings and senders."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the five tables."""
    op.create_table(
        "requests",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("operation", sa.String(16), nullable=False),
        sa.Column("connection", sa.String(100), nullable=False),
        sa.Column("group_id", sa.String(200), nullable=False),
        sa.Column("group_name", sa.Text, nullable=False),
        sa.Column("requester", sa.String(32), nullable=False),
        sa.Column("channel", sa.String(32), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("rule", sa.Text),
        sa.Column("duplicates", sa.Integer, nullable=False),
        sa.Column("asked_at", sa.Float, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("dispatched", sa.String(16), nullable=False, server_default=""),
        sa.Column("expires_at", sa.Float),
    )
    op.create_index("requests_by_state", "requests", ["state", "dispatched"])
    op.create_table(
        "participants",
        sa.Column("request_id", sa.String(32), sa.ForeignKey("requests.id"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("typed", sa.Text, nullable=False),
        sa.Column("phone", sa.String(20), nullable=False),
        sa.Column("lid", sa.Text, nullable=False),
        sa.Column("before", sa.String(10), nullable=False),
        sa.Column("chunk", sa.Integer),
        sa.Column("submissions", sa.Integer, nullable=False),
        sa.Column("outcome", sa.String(20)),
        sa.Column("evidence", sa.String(10), nullable=False),
        sa.Column("provider_code", sa.Text, nullable=False),
        sa.Column("provider_message", sa.Text, nullable=False),
        sa.Column("at", sa.Float),
    )
    op.create_index("participants_by_chunk", "participants", ["chunk", "request_id", "position"])
    op.create_table(
        "decisions",
        sa.Column("request_id", sa.String(32), sa.ForeignKey("requests.id"), primary_key=True),
        sa.Column("user_id", sa.String(32), primary_key=True),
        sa.Column("choice", sa.String(16), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
    )
    op.create_table(
        "postings",
        sa.Column("request_id", sa.String(32), sa.ForeignKey("requests.id"), primary_key=True),
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("channel", sa.String(32), nullable=False),
        sa.Column("ts", sa.String(32), nullable=False),
    )
    op.create_table(
        "senders",
        sa.Column("connection", sa.String(100), primary_key=True),
        sa.Column("free_at", sa.Float, nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("used", sa.Integer, nullable=False),
    )
