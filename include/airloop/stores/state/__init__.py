"""The state database, SQLite (WAL) or PostgreSQL, and the records of stages in it."""

from airloop.stores.state.database import (
    exists,
    instant_text,
    reading,
    replace_rows,
    stored_window,
    transaction,
    upgrade,
)
from airloop.stores.state.stage_records import (
    alarmed_records,
    find_record,
    forget,
    forget_overwritten,
    latest_records,
    mark_started,
    newest_id,
    newest_ids,
    records_before,
    records_of,
    save_record,
)

__all__ = [
    "alarmed_records",
    "exists",
    "find_record",
    "forget",
    "forget_overwritten",
    "instant_text",
    "latest_records",
    "mark_started",
    "newest_id",
    "newest_ids",
    "reading",
    "records_before",
    "records_of",
    "replace_rows",
    "save_record",
    "stored_window",
    "transaction",
    "upgrade",
]
