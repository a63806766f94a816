"""Store the cause of a failure, from which the advice follows."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column. The cause of earlier failures is unknown."""
    op.add_column("participants", sa.Column("cause", sa.String(20), nullable=False, server_default=""))
