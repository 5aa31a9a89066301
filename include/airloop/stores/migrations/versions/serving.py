"""What the prediction service keeps: its API keys (hashes only), and feedback until it has landed."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Nothing that is there changes."""
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("scopes", sa.String(100), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("revoked_at", sa.String(32), nullable=False),
    )
    op.create_table(
        "feedback",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("pipeline", sa.String(100), nullable=False),
        sa.Column("subject", sa.String(300), nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("prediction_id", sa.String(40), nullable=False),
        sa.Column("caller", sa.String(100), nullable=False),
        sa.Column("received_at", sa.String(32), nullable=False),
        sa.Column("landed_as", sa.String(300), nullable=False),
    )
    op.create_index("feedback_subject", "feedback", ["pipeline", "subject", "id"])
    op.create_index("feedback_waiting", "feedback", ["pipeline", "landed_as"])
