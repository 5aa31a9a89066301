"""A Delta table's log stays until maintenance cleans it, whoever writes.

By itself Delta removes, with the checkpoint after each hundredth commit, all entries older than 30 days: a version that
a record, the ledger or a reproduction names could not be opened any more. `airloop maintain` knows which those are.
"""

from deltalake import DeltaTable, PostCommitHookProperties

KEPT = PostCommitHookProperties(cleanup_expired_logs=False)
"""For each write: the checkpoint is made, and no entry removed."""

_CLEANED = "delta.enableExpiredLogCleanup"


def keep(table: DeltaTable) -> None:
    """Say in the table itself that its entries stay, before what takes no KEPT: Delta's compaction ignores it."""
    if table.metadata().configuration.get(_CLEANED) != "false":
        table.alter.set_table_properties({_CLEANED: "false"})
