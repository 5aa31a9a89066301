"""Alerts: what a person should know, and who was told of it."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Two tables more; nothing that is there changes."""
    op.create_table(
        "alerts",
        sa.Column("pipeline", sa.String(100), nullable=False),
        sa.Column("cause", sa.String(300), nullable=False),
        sa.Column("alert", sa.Text, nullable=False),
        sa.Column("opened_at", sa.String(32), nullable=False),
        sa.Column("seen_at", sa.String(32), nullable=False),
        sa.Column("resolved_at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("pipeline", "cause"),
    )
    op.create_table(
        "alert_deliveries",
        sa.Column("pipeline", sa.String(100), nullable=False),
        sa.Column("cause", sa.String(300), nullable=False),
        sa.Column("route", sa.String(64), nullable=False),
        sa.Column("says", sa.String(20), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("sent_at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("pipeline", "cause", "route", "says", "day"),
    )
    op.create_index("alerts_open", "alerts", ["pipeline", "resolved_at"])
