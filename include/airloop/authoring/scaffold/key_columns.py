"""Columns that look like a key in one table and are none in the next: row numbers, texts not fully seen, floats."""

import re

import polars as pl

from airloop.data import key_text
from airloop.sources.land_tables import Table

NAMED_LIKE_KEYS = re.compile(r"(^|[_ .-])(id|key|uuid|guid)$|[a-z]I[dD]$", re.IGNORECASE)
_NAMED_LIKE_ROWS = re.compile(
    r"^(unnamed: ?\d+|index|level_\d+|row([_ .-]?(number|num|nr|no|id|index|names?))?|nr|no|#|_c0|\.\.\.\d+)\.?$",
    re.IGNORECASE,
)


def counts_rows(values: pl.Series) -> bool:
    """Whether a column numbers the rows of its file: by its name, or 0, 1, 2, ... in the order of the rows.

    A column that is named like a key (`order_id`) may count from 1, as databases do; from 0, as files do, it may not.
    """
    if values.dtype != pl.Int64 or not len(values):
        return False
    if _NAMED_LIKE_ROWS.match(values.name.strip()):
        return True
    first = 0 if NAMED_LIKE_KEYS.search(values.name) else 1
    starts = values[0] in range(first + 1)
    return bool(starts and not values.null_count() and (values.diff().drop_nulls() == 1).all())


def key_fault(table: Table, name: str) -> str:
    """Why ingestion would refuse a key of this column, in words; empty when it would not.

    A number is a name as a key, so its text counts.
    """
    texts = table.texts[name]
    if table.kinds[name] == "float" and (name in table.floats or key_text.through_float(texts).any()):
        return (
            f"column {name!r} holds whole numbers that have been floats, like {texts.drop_nulls()[0]!r}, another text "
            "than the digits alone; save them as whole numbers or texts (in pandas: astype('Int64'))"
        )
    if table.kinds[name] == "timestamp":
        return ""
    for rule, broken in (("seen", key_text.hidden(texts)), ("float", key_text.through_float(texts))):
        if broken.any():
            row = broken.arg_true()[0]
            says = f"has {key_text.unseen(texts[row])}" if rule == "seen" else "is a number as a float is written"
            return (
                f"column {name!r}, row {row + 1}: {texts[row]!r} {says}; two keys could look the same: mend the table"
            )
    return ""
