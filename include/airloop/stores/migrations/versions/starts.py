"""In which data run the inbox has started a window."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """One table more; nothing that is there changes."""
    op.create_table(
        "inbox_starts",
        sa.Column("pipeline", sa.String(100), primary_key=True),
        sa.Column("window_start", sa.String(32), primary_key=True),
        sa.Column("window_end", sa.String(32), primary_key=True),
        sa.Column("files", sa.String(64), nullable=False),
        sa.Column("ingested", sa.Integer, nullable=False),
        sa.Column("run_start", sa.String(32), nullable=False),
        sa.Column("run_end", sa.String(32), nullable=False),
        sa.Column("run_digest", sa.String(64), nullable=False),
    )
