"""Create the audit journal, to which rows can only be appended."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SQLITE_REFUSES = "BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END"
_SQLITE = (
    f"CREATE TRIGGER audit_keeps BEFORE UPDATE ON audit {_SQLITE_REFUSES}",
    f"CREATE TRIGGER audit_stays BEFORE DELETE ON audit {_SQLITE_REFUSES}",
    f"CREATE TRIGGER audit_head_stays BEFORE DELETE ON audit_head {_SQLITE_REFUSES}",
    f"CREATE TRIGGER audit_head_grows BEFORE UPDATE ON audit_head WHEN NEW.seq < OLD.seq {_SQLITE_REFUSES}",
)
_REFUSES = "FOR EACH ROW EXECUTE FUNCTION audit_refuses()"
_POSTGRESQL = (
    """
    CREATE FUNCTION audit_refuses() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'audit is append-only'; END $$
    """,
    f"CREATE TRIGGER audit_keeps BEFORE UPDATE ON audit {_REFUSES}",
    f"CREATE TRIGGER audit_stays BEFORE DELETE ON audit {_REFUSES}",
    f"CREATE TRIGGER audit_head_stays BEFORE DELETE ON audit_head {_REFUSES}",
    """
    CREATE TRIGGER audit_head_grows BEFORE UPDATE ON audit_head
    FOR EACH ROW WHEN (NEW.seq < OLD.seq) EXECUTE FUNCTION audit_refuses()
    """,
)


def upgrade() -> None:
    """Create the two tables, and the triggers that reject changing or deleting a row."""
    op.create_table(
        "audit",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("connection", sa.Text, nullable=False),
        sa.Column("group_id", sa.Text, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    for statement in _POSTGRESQL if op.get_bind().dialect.name == "postgresql" else _SQLITE:
        op.execute(statement)
