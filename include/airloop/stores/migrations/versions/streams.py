"""Streams: which events came lately, and how far each entity has come: what is a duplicate, and what is late."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Two tables more; nothing that is there changes."""
    op.create_table(
        "stream_events",
        sa.Column("pipeline", sa.String(100), nullable=False),
        sa.Column("feed", sa.String(200), nullable=False),
        sa.Column("content", sa.String(64), nullable=False),
        sa.Column("event_id", sa.String(80), nullable=False),
        sa.Column("late", sa.Integer, nullable=False),
        sa.Column("arrived_at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("pipeline", "feed", "content"),
    )
    op.create_index("stream_events_age", "stream_events", ["pipeline", "feed", "arrived_at"])
    op.create_table(
        "stream_entities",
        sa.Column("pipeline", sa.String(100), nullable=False),
        sa.Column("feed", sa.String(200), nullable=False),
        sa.Column("entity", sa.String(300), nullable=False),
        sa.Column("newest_at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("pipeline", "feed", "entity"),
    )
