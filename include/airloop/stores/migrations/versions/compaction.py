"""Files of lake tables that compaction wrote, and those they stand for."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Nothing that is there changes."""
    op.create_table(
        "compacted_files",
        sa.Column("uri", sa.String(500), primary_key=True),
        sa.Column("path", sa.String(300), primary_key=True),
        sa.Column("stands_for", sa.Text, nullable=False),
    )
