"""The tables of the state database; airloop.stores.migrations makes them, revision by revision."""

from typing import Any

import sqlalchemy as sa

metadata = sa.MetaData()

stage_runs = sa.Table(
    "stage_runs",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("pipeline", sa.String(100), nullable=False),
    sa.Column("stage", sa.String(40), nullable=False),
    sa.Column("input_key", sa.String(64), nullable=False),
    sa.Column("window_start", sa.String(32), nullable=False),
    sa.Column("window_end", sa.String(32), nullable=False),
    sa.Column("record", sa.Text, nullable=False),
    sa.Column("finished_at", sa.String(32), nullable=False),
    sa.UniqueConstraint("pipeline", "stage", "input_key"),
)

ledger_entries = sa.Table(
    "ledger",
    metadata,
    sa.Column("pipeline", sa.String(100), nullable=False),
    sa.Column("sequence", sa.Integer, nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("effective_at", sa.String(32), nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("recorded_at", sa.String(32), nullable=False),
    sa.Column("previous_hash", sa.String(64), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.PrimaryKeyConstraint("pipeline", "sequence"),
)

ledger_heads = sa.Table(
    "ledger_heads",
    metadata,
    sa.Column("pipeline", sa.String(100), primary_key=True),
    sa.Column("sequence", sa.Integer, nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
)

feed_sketches = sa.Table(
    "feed_sketches",
    metadata,
    sa.Column("pipeline", sa.String(100), nullable=False),
    sa.Column("feed", sa.String(200), nullable=False),
    sa.Column("window_start", sa.String(32), nullable=False),
    sa.Column("window_end", sa.String(32), nullable=False),
    sa.Column("sketch", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("pipeline", "feed", "window_end", "window_start"),
)

answered_reasons = sa.Table(
    "answered_reasons",
    metadata,
    sa.Column("pipeline", sa.String(100), nullable=False),
    sa.Column("reason_key", sa.String(200), nullable=False),
    sa.Column("run_key", sa.String(300), nullable=False),
    sa.Column("claimed_at", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("pipeline", "reason_key"),
)

inbox_answers = sa.Table(
    "inbox_answers",
    metadata,
    sa.Column("pipeline", sa.String(100), primary_key=True),
    sa.Column("listing", sa.String(64), nullable=False),
)

settled_windows = sa.Table(
    "settled_windows",
    metadata,
    sa.Column("pipeline", sa.String(100), nullable=False),
    sa.Column("window_start", sa.String(32), nullable=False),
    sa.Column("window_end", sa.String(32), nullable=False),
    sa.Column("mark", sa.String(64), nullable=False),
    sa.PrimaryKeyConstraint("pipeline", "window_start", "window_end"),
)

inbox_starts = sa.Table(
    "inbox_starts",
    metadata,
    sa.Column("pipeline", sa.String(100), nullable=False),
    sa.Column("window_start", sa.String(32), nullable=False),
    sa.Column("window_end", sa.String(32), nullable=False),
    sa.Column("files", sa.String(64), nullable=False),
    sa.Column("ingested", sa.Integer, nullable=False),
    sa.Column("run_start", sa.String(32), nullable=False),
    sa.Column("run_end", sa.String(32), nullable=False),
    sa.Column("run_digest", sa.String(64), nullable=False),
    sa.PrimaryKeyConstraint("pipeline", "window_start", "window_end"),
)

compacted_files = sa.Table(
    "compacted_files",
    metadata,
    sa.Column("uri", sa.String(500), nullable=False),
    sa.Column("path", sa.String(300), nullable=False),
    sa.Column("stands_for", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("uri", "path"),
)

api_keys = sa.Table(
    "api_keys",
    metadata,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("scopes", sa.String(100), nullable=False),
    sa.Column("created_at", sa.String(32), nullable=False),
    sa.Column("revoked_at", sa.String(32), nullable=False),
)

feedback = sa.Table(
    "feedback",
    metadata,
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

sa.Index("feedback_subject", feedback.c.pipeline, feedback.c.subject, feedback.c.id)
sa.Index("feedback_waiting", feedback.c.pipeline, feedback.c.landed_as)

stream_events = sa.Table(
    "stream_events",
    metadata,
    sa.Column("pipeline", sa.String(100), nullable=False),
    sa.Column("feed", sa.String(200), nullable=False),
    sa.Column("content", sa.String(64), nullable=False),
    sa.Column("event_id", sa.String(80), nullable=False),
    sa.Column("late", sa.Integer, nullable=False),
    sa.Column("arrived_at", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("pipeline", "feed", "content"),
)

stream_entities = sa.Table(
    "stream_entities",
    metadata,
    sa.Column("pipeline", sa.String(100), nullable=False),
    sa.Column("feed", sa.String(200), nullable=False),
    sa.Column("entity", sa.String(300), nullable=False),
    sa.Column("newest_at", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("pipeline", "feed", "entity"),
)

sa.Index("stream_events_age", stream_events.c.pipeline, stream_events.c.feed, stream_events.c.arrived_at)

review_items = sa.Table(
    "review_items",
    metadata,
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

sa.Index("review_items_open", review_items.c.pipeline, review_items.c.answer, review_items.c.about_at)

review_answers = sa.Table(
    "review_answers",
    metadata,
    sa.Column("item", sa.String(16), nullable=False),
    sa.Column("place", sa.Integer, nullable=False),
    sa.Column("person", sa.String(100), nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("answered_at", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("item", "place"),
    sa.UniqueConstraint("item", "person"),
)

alerts = sa.Table(
    "alerts",
    metadata,
    sa.Column("pipeline", sa.String(100), nullable=False),
    sa.Column("cause", sa.String(300), nullable=False),
    sa.Column("alert", sa.Text, nullable=False),
    sa.Column("opened_at", sa.String(32), nullable=False),
    sa.Column("seen_at", sa.String(32), nullable=False),
    sa.Column("resolved_at", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("pipeline", "cause"),
)

alert_deliveries = sa.Table(
    "alert_deliveries",
    metadata,
    sa.Column("pipeline", sa.String(100), nullable=False),
    sa.Column("cause", sa.String(300), nullable=False),
    sa.Column("route", sa.String(64), nullable=False),
    sa.Column("says", sa.String(20), nullable=False),
    sa.Column("day", sa.String(10), nullable=False),
    sa.Column("sent_at", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("pipeline", "cause", "route", "says", "day"),
)

sa.Index("alerts_open", alerts.c.pipeline, alerts.c.resolved_at)
sa.Index("stage_runs_newest", stage_runs.c.pipeline, stage_runs.c.stage, stage_runs.c.id)
sa.Index("stage_runs_window", stage_runs.c.pipeline, stage_runs.c.stage, stage_runs.c.window_end)
sa.Index("ledger_kind", ledger_entries.c.pipeline, ledger_entries.c.kind, ledger_entries.c.sequence)
sa.Index(
    "ledger_effective",
    ledger_entries.c.pipeline,
    ledger_entries.c.kind,
    ledger_entries.c.effective_at,
    ledger_entries.c.sequence,
)

MAY_HOLD_ALARMS = """record NOT LIKE '%"alarms": []%'"""
"""Of a record: it is not one that says it has none, which nearly all do; quotation marks within a text are escaped.

An index holds those alone; a query that says so in these very words finds them by it.
"""

_ALARMS_INDEX = f"CREATE INDEX stage_runs_alarms ON stage_runs (pipeline, stage, window_end) WHERE {MAY_HOLD_ALARMS}"


def _make_alarms_index(_table: sa.Table, connection: sa.Connection, **_options: Any) -> None:
    connection.execute(sa.text(_ALARMS_INDEX))


# After the table's other indexes: of two that look alike to SQLite it takes the one that was made last.
sa.event.listen(stage_runs, "after_create", _make_alarms_index)
