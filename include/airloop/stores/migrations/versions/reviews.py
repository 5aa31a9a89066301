"""Reviews: what people are asked about, and what each of them answered."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Two tables more; nothing that is there changes."""
    op.create_table(
        "review_items",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("pipeline", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("why", sa.String(40), nullable=False),
        sa.Column("feed", sa.String(200), nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("people", sa.Integer, nullable=False),
        sa.Column("about_at", sa.String(32), nullable=False),
        sa.Column("asked_at", sa.String(32), nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("landed_as", sa.String(300), nullable=False),
        sa.Column("problem", sa.Text, nullable=False),
    )
    op.create_index("review_items_open", "review_items", ["pipeline", "answer", "about_at"])
    op.create_table(
        "review_answers",
        sa.Column("item", sa.String(16), nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("person", sa.String(100), nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("answered_at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("item", "place"),
        sa.UniqueConstraint("item", "person"),
    )
