"""Find what was done to people a while ago without reading everybody."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index."""
    op.create_index("participants_by_time", "participants", ["at"])
