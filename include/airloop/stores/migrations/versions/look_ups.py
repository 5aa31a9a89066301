"""Indexes that keep look-ups flat, the ledger's heads, sketches of feeds, and what the inbox has answered."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Nothing that is there changes."""
    tables = sa.inspect(op.get_bind()).get_table_names()
    # A home that ran a development version between two revisions has some of them.
    if "ledger_heads" not in tables:
        op.create_table(
            "ledger_heads",
            sa.Column("pipeline", sa.String(100), primary_key=True),
            sa.Column("sequence", sa.Integer, nullable=False),
            sa.Column("hash", sa.String(64), nullable=False),
        )
    if "feed_sketches" not in tables:
        op.create_table(
            "feed_sketches",
            sa.Column("pipeline", sa.String(100), nullable=False),
            sa.Column("feed", sa.String(200), nullable=False),
            sa.Column("window_start", sa.String(32), nullable=False),
            sa.Column("window_end", sa.String(32), nullable=False),
            sa.Column("sketch", sa.Text, nullable=False),
            sa.PrimaryKeyConstraint("pipeline", "feed", "window_end", "window_start"),
        )
    if "inbox_answers" not in tables:
        op.create_table(
            "inbox_answers",
            sa.Column("pipeline", sa.String(100), primary_key=True),
            sa.Column("listing", sa.String(64), nullable=False),
        )
    for name, table, columns in (
        ("stage_runs_newest", "stage_runs", ["pipeline", "stage", "id"]),
        ("stage_runs_window", "stage_runs", ["pipeline", "stage", "window_end"]),
        ("ledger_kind", "ledger", ["pipeline", "kind", "sequence"]),
    ):
        op.create_index(name, table, columns, if_not_exists=True)
