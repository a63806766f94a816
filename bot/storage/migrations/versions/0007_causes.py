"""Keep why something was not done, so that the advice follows from it."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the column; of what was kept before nobody knows it."""
    op.add_column("participants", sa.Column("cause", sa.String(20), nullable=False, server_default=""))
