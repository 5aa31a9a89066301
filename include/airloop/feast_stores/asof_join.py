"""Which row of a history is the one that counts: the newest per key, or the newest known at a given instant.

Instants are compared as naive UTC microseconds, which is what Delta stores.
Both functions answer with line numbers, so that values pass from Arrow to Arrow with their types and nulls.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import polars as pl
import pyarrow as pa

from airloop.errors import DataContractError

INSTANT = pa.timestamp("us")


@dataclass(frozen=True)
class History:
    """Rows of a table and the columns that decide which of them counts.

    Attributes:
        name: What an error calls it.
        rows: Any columns; rows may repeat.
        keys: The columns that say what a row describes.
        moment: Timestamp column: since when the row holds. Naive is UTC.
        created: Timestamp column: when the row was written. Of rows of one key and moment the largest wins, null last;
            when these are equal or there is no such column, the row that lies last.
    """

    name: str
    rows: pa.Table
    keys: Sequence[str]
    moment: str
    created: str | None = None


def latest_lines(history: History) -> pa.Array:
    """Answer the line of the newest row of each key, ascending; rows without any key column are one key."""
    names = _key_names(history)
    known = _known(history, [history.rows[key] for key in history.keys]).sort("moment", "created", maintain_order=True)
    newest = known.unique(names, keep="last") if names else known.tail(1)
    return newest["line"].sort().to_arrow()


def as_of_lines(
    history: History, lookups: pa.Table, *, ttl: timedelta | None = None, as_known: bool = False
) -> pa.Array:
    """Answer for each asked row the line of the newest row with `moment <= asked`, or null.

    Args:
        history: The rows to choose from.
        lookups: One column per key of `history`, in the same order, and last the instant as a timestamp. A null key or
            instant finds nothing. Rows that come in the order of their instants save a sort.
        ttl: Also require `moment >= asked - ttl`; None looks back without end.
        as_known: Also require `created <= asked`, when the history has that column; a null never counts.

    Raises:
        DataContractError: A key is text on one side and a number on the other, or of kinds that never are equal.
    """
    names = _key_names(history)
    pairs = [_comparable(lookups, number, history) for number in range(len(names))]
    instant = lookups.column(len(names)).cast(INSTANT, safe=False)
    questions = _frame([*names, "instant"], [*(key for key, _ in pairs), instant]).with_row_index("question")
    standing = _standing(
        _known(history, [key for _, key in pairs]), names, as_known=as_known and history.created is not None
    )
    ordered = questions if questions["instant"].is_sorted() else questions.sort("instant")
    answers = ordered.join_asof(standing, left_on="instant", right_on="seen", by=names, check_sortedness=False)
    in_time = pl.lit(True) if ttl is None else pl.col("moment") >= pl.col("instant") - ttl
    return answers.select("question", line=pl.when(in_time).then("line")).sort("question")["line"].to_arrow()


def _standing(known: pl.DataFrame, keys: Sequence[str], *, as_known: bool) -> pl.DataFrame:
    """Leave the rows that can be an answer, in the order in which they are `seen`; of equal instants the last counts.

    A row that was overtaken before it was seen can never be the answer; once those are gone, one as-of join is enough.
    """
    visible_from = pl.max_horizontal("moment", "created") if as_known else pl.col("moment")
    complete = known.drop_nulls([*keys, "moment", *(["created"] if as_known else [])])
    rows = complete.with_columns(seen=visible_from).sort("seen", "moment", "created", maintain_order=True)
    # Who is seen at its own moment was overtaken by nobody: windows over keys are for the corrected ones.
    late = rows.filter(pl.col("seen") > pl.col("moment")).select(keys).unique()
    if len(late):
        touched = rows.join(late, on=keys, how="semi", maintain_order="left")
        overtaken = touched.filter(pl.col("moment") < pl.col("moment").cum_max().over(keys))
        rows = rows.join(overtaken, on="line", how="anti", maintain_order="left")
    return rows.select(*keys, "seen", "moment", "line")


def _known(history: History, keys: Sequence[pa.ChunkedArray]) -> pl.DataFrame:
    rows = history.rows
    moment = rows[history.moment].cast(INSTANT, safe=False)
    created = rows[history.created].cast(INSTANT, safe=False) if history.created else pa.nulls(len(rows), INSTANT)
    return _frame([*_key_names(history), "moment", "created"], [*keys, moment, created]).with_row_index("line")


def _frame(names: Sequence[str], columns: Sequence[pa.ChunkedArray]) -> pl.DataFrame:
    return pl.DataFrame(pa.table(columns, names))


def _key_names(history: History) -> list[str]:
    # No name of an author's column is used, so that none can be taken for one of ours.
    return [f"key{number}" for number in range(len(history.keys))]


def _comparable(questions: pa.Table, number: int, history: History) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """A key of both sides in one type: polars joins equal types only."""
    column, known = questions.column(number), history.rows[history.keys[number]]
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_null(column.type):
        return column.cast(known.type), known
    if _family(column.type) != _family(known.type):
        name = questions.column_names[number]
        raise DataContractError(
            f"join key {name} is {column.type} in the entity rows and {known.type} in {history.name}"
        )
    kind = _meeting_type(column.type, known.type)
    return column.cast(kind, safe=False), known.cast(kind, safe=False)


def _family(kind: pa.DataType) -> str:
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "number"
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return "text"
    return str(kind)


def _meeting_type(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    if one == other or _family(one) != "number":
        return one
    if pa.types.is_integer(one) and pa.types.is_integer(other):
        return pa.decimal128(20) if pa.uint64() in (one, other) else pa.int64()
    return pa.float64()
