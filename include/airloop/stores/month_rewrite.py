"""A window replaced without its time column's name in a predicate, for names that Delta's SQL does not read back.

delta-rs writes the predicate of an overwrite out again without quotation marks and parses that text: `Begin (local)`
becomes a call of a function, `null` a literal that is true of no row, so that nothing is replaced and rows are doubled.
The months of a window are named by the partition alone, so they are what is replaced: with the other rows they hold.
"""

import re
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from deltalake import CommitProperties, DeltaTable, write_deltalake

from airloop.files import delta_log

PARTITION = "month"
_PLAIN = re.compile(r"[^\W\d]\w*")
_WORDS = frozenset(
    {
        *("all", "and", "any", "array", "as", "asc", "between", "by", "case", "cast", "current_date", "current_time"),
        *(
            "current_timestamp",
            "desc",
            "distinct",
            "end",
            "exists",
            "extract",
            "false",
            "from",
            "group",
            "having",
            "in",
        ),
        *("interval", "is", "join", "left", "like", "limit", "map", "not", "null", "on", "or", "order", "right", "row"),
        *("select", "session_user", "some", "struct", "table", "then", "trim", "true", "union", "unique", "user"),
        *("using", "values", "when", "where", "with"),
    }
)


def reads_back(column: str) -> bool:
    """Whether a column's name in a predicate is still that column when Delta has written the predicate out."""
    return bool(_PLAIN.fullmatch(column)) and column.lower() not in _WORDS


def rewrite(uri: str, rows: pa.Table, *, of_window: pc.Expression, months: tuple[str, str], options: Any) -> None:
    """Put `rows` in place of what an existing table holds where `of_window` is true; one commit.

    Args:
        of_window: Is true of no row outside the months, from the first to the last.

    Raises:
        CommitFailedError: Another writer came between, whose rows this one did not see: look again, and then write.
    """
    table = _AsLookedAt(uri, storage_options=options)
    month = ds.field(PARTITION)
    inside = pc.coalesce(of_window, pa.scalar(value=False))
    others = table.to_pyarrow_dataset().to_table(filter=(month >= months[0]) & (month <= months[1]) & ~inside)
    write_deltalake(
        table,
        pa.concat_tables([others, rows], promote_options="default"),
        mode="overwrite",
        predicate=f"{PARTITION} >= '{months[0]}' AND {PARTITION} <= '{months[1]}'",
        schema_mode="merge",
        # Without tries of its own: they would commit what was looked at before the other writer's commit.
        commit_properties=CommitProperties(max_commit_retries=0),
        post_commithook_properties=delta_log.KEPT,
    )


class _AsLookedAt(DeltaTable):  # type: ignore[misc]  # deltalake is not typed here
    """A table that stays at the version it was opened at, so that a commit after it is a conflict and not overwritten.

    write_deltalake brings a table to its newest version first, and would replace rows that nobody has looked at.
    """

    def update_incremental(self) -> None:
        """Does nothing."""
