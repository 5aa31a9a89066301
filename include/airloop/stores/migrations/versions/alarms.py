"""Indexes by which alarms, and the entries of an instant, are found in a long history."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Nothing that is there changes."""
    op.create_index("ledger_effective", "ledger", ["pipeline", "kind", "effective_at", "sequence"])
    # What airloop.stores.tables makes; a later revision may change that, and not this one.
    where = """record NOT LIKE '%"alarms": []%'"""
    op.execute(f"CREATE INDEX stage_runs_alarms ON stage_runs (pipeline, stage, window_end) WHERE {where}")
