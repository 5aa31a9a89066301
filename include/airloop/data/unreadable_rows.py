"""Rows of a landed file that cannot be read: the columns that say so, and what is wrong with one, in words."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from airloop.config import Feed
from airloop.data import key_text
from airloop.data.value_rules import why_not

RULE, TEXT, SOURCE = "_rule", "_text", "_source"
"""Columns of rows that cannot be read: what is wrong, the row's fields as JSON of texts, and `URI line 7`."""

HEADER = "header in"
OTHER_DAY = "lies outside the day in the file's name"
AND = "+"
"""Between the columns of a key, in the name of a rule."""


def explain(feed: Feed, rules: str, fields: Mapping[str, Any]) -> str:
    """Column and value of the first rule a row broke, in words; `fields` are its texts."""
    rule = next(rule for rule in _EXPLAINED if rules.startswith(f"{rule} "))
    # A name may hold what parts rules or columns: the longest that fits is meant.
    rest = rules.removeprefix(f"{rule} ")
    column = max(filter(rest.startswith, (*feed.columns, AND.join(feed.key))), key=len)
    columns = list(feed.key) if rule == "twice" else [column]
    value = ", ".join(repr(fields[name]) for name in columns)
    return f"column {column!r}: {_EXPLAINED[rule](feed.columns.get(column, ''), fields[columns[0]], value)}"


_EXPLAINED: dict[str, Callable[[str, Any, str], str]] = {
    "type of": lambda kind, text, _: why_not(kind, text),
    "missing": lambda _kind, _text, _value: "is empty, and says when the row was known",
    "day of": lambda _kind, _text, value: f"{value} {OTHER_DAY}",
    HEADER: lambda _kind, _text, value: (
        f"{value} is its name: the header stands among the rows, as in files put one behind the other; land the rows"
    ),
    "twice": lambda _kind, _text, value: (
        f"{value} stands in another line too, with other values; keep the line that is right"
    ),
    key_text.HIDDEN: lambda _kind, text, value: (
        f"{value} has {key_text.unseen(text)}, and would be another key than one that looks the same; write it "
        "without, or name the column in `as_written` of the feed"
    ),
    key_text.NO_VALUE: lambda _kind, _text, value: (
        f"{value} is a word for a missing value, and would be one key for all rows without one; write the key, or name "
        "the column in `as_written` of the feed"
    ),
    key_text.FLOAT: lambda _kind, _text, value: (
        f"{value} is a number as a float is written, and another key than the digits alone; write ids as whole numbers "
        "or texts, or name the column in `as_written` of the feed"
    ),
}


def texts_of(row: Mapping[str, Any]) -> dict[str, str | None]:
    """The fields of an unreadable row as they stood in its file."""
    fields: dict[str, str | None] = json.loads(row[TEXT])
    return fields
