"""Store the names that people type or upload beside numbers."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column. Earlier requests have no names."""
    op.add_column("participants", sa.Column("name", sa.Text, nullable=False, server_default=""))
