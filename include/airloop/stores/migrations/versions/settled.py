"""Windows in which the inbox has seen that nothing waits."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Nothing that is there changes."""
    op.create_table(
        "settled_windows",
        sa.Column("pipeline", sa.String(100), primary_key=True),
        sa.Column("window_start", sa.String(32), primary_key=True),
        sa.Column("window_end", sa.String(32), primary_key=True),
        sa.Column("mark", sa.String(64), nullable=False),
    )
