"""Index the items by time, to find recent changes without reading all items."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the index."""
    op.create_index("participants_by_time", "participants", ["at"])
