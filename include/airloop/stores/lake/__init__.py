"""The Delta lake: tables at `<lake>/<pipeline>/<layer>/<table>`, partitioned by month, versioned by every write."""

from airloop.stores.lake.commits import committed
from airloop.stores.lake.contents import content_digest, files_digest
from airloop.stores.lake.replacing import replace_table, replace_window
from airloop.stores.lake.standing import fallen_behind, newest
from airloop.stores.lake.tables import (
    INSTANT,
    PARTITION,
    between,
    instant,
    month_of,
    open_table,
    read,
    table_uri,
    window_predicate,
    with_month,
)

__all__ = [
    "INSTANT",
    "PARTITION",
    "between",
    "committed",
    "content_digest",
    "fallen_behind",
    "files_digest",
    "instant",
    "month_of",
    "newest",
    "open_table",
    "read",
    "replace_table",
    "replace_window",
    "table_uri",
    "window_predicate",
    "with_month",
]
