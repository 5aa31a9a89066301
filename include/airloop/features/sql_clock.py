"""Does a query give the same rows whenever it runs? What reads the clock, draws by chance or asks the process does not.

A feature made of `now()` is another one at training than at scoring, and no point-in-time join can take that back.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import duckdb

_UNSTABLE = "stability IN ('VOLATILE', 'CONSISTENT_WITHIN_QUERY')"
_SET_BY_US = frozenset({"getvariable", "error"})
"""Variables are fixed by airloop before a query runs; an error that a query raises is not a value."""
_MACROS = frozenset({"ago", "pg_conf_load_time", "pg_postmaster_start_time"})
_WORDS = frozenset(
    {
        "current_timestamp", "current_date", "current_time", "localtimestamp", "localtime",
        "current_localtimestamp", "current_localtime",
    }
)  # fmt: skip
_OF_THE_PROCESS = re.compile(r"^(duckdb|pragma)_")
_CATALOGUES = frozenset({"information_schema", "pg_catalog"})
_IN_TEXT = "query"
_CLOCK = (
    "gives other values whenever it runs; take the instant from the rows (known_at) or from "
    "getvariable('window_start') and getvariable('window_end')"
)
_CHANCE = "draws other rows whenever it runs; choose them by hash(KEY) % 10, or write REPEATABLE (1) behind the sample"
_PROCESS = "tells of the process that runs it; a query reads the pipeline's feeds and nothing else"
_MADE = "runs a text that is put together; write the query itself"


@dataclass(frozen=True)
class Unstable:
    """What makes a query's rows depend on when, where or how often it runs; `line` counts from 0."""

    line: int
    says: str


@cache
def unstable(sql: str) -> Unstable | None:
    """The first thing that does; None where there is none, or where DuckDB cannot say (its error is the better one)."""
    parser = _parser().cursor()
    ((text,),) = parser.execute("SELECT json_serialize_sql(?)", [sql]).fetchall()
    tree = json.loads(text)
    if tree["error"]:
        return _by_words(sql)
    return next(iter(sorted(_walk(tree["statements"], sql), key=lambda item: item.line)), None)


@cache
def _parser() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": 1})


@cache
def _names() -> frozenset[str]:
    rows = _parser().cursor().execute(f"SELECT DISTINCT function_name FROM duckdb_functions() WHERE {_UNSTABLE}")
    return frozenset(name for (name,) in rows.fetchall()) - _SET_BY_US | _MACROS | _WORDS


def _by_words(sql: str) -> Unstable | None:
    """Of what has no tree (a PIVOT that looks for its values): the same names, in front of a bracket."""
    for call in re.finditer(r"\b([a-z_]\w*)\s*\(", sql, re.IGNORECASE):
        if call[1].lower() in _names():
            return Unstable(sql.count("\n", 0, call.start()), f"{call[1]} {_CLOCK}")
    return None


def _walk(node: Any, sql: str) -> Iterator[Unstable]:
    if isinstance(node, list):
        for item in node:
            yield from _walk(item, sql)
    if not isinstance(node, dict):
        return
    says = _of_function(node) or _of_word(node) or _of_catalogue(node) or _of_sample(node)
    if says:
        place = node.get("query_location", 0)
        yield Unstable(sql.encode()[:place].count(b"\n") if place <= len(sql.encode()) else 0, says)
    for value in node.values():
        yield from _walk(value, sql)


def _of_function(node: dict[str, Any]) -> str:
    if node.get("type") == "TABLE_FUNCTION":
        return _of_table_function(node["function"])
    if node.get("class") != "FUNCTION":
        return ""
    name = node["function_name"].lower()
    alone = name == "age" and len(node["arguments"]) == 1
    return f"{name}() {_CLOCK}" if alone or name in _names() else ""


def _of_table_function(function: dict[str, Any]) -> str:
    name = function["function_name"].lower()
    if _OF_THE_PROCESS.match(name):
        return f"{name}() {_PROCESS}"
    if name != _IN_TEXT:
        return ""
    texts = [argument["expression"].get("literal", {}).get("text") for argument in function["arguments"]]
    if len(texts) != 1 or not isinstance(texts[0], str):
        return f"{name}() {_MADE}"
    within = unstable(texts[0])
    return within.says if within else ""


def _of_word(node: dict[str, Any]) -> str:
    names = node.get("column_names") if node.get("class") == "COLUMN_REF" else None
    return f"{names[0]} {_CLOCK}" if names and len(names) == 1 and names[0].lower() in _WORDS else ""


def _of_catalogue(node: dict[str, Any]) -> str:
    if node.get("type") != "BASE_TABLE":
        return ""
    schema, name = node["schema_name"].lower(), node["table_name"].lower()
    own = schema in _CATALOGUES or (schema in ("", "main") and name in _catalogue())
    return f"{name} {_PROCESS}" if own else ""


@cache
def _catalogue() -> frozenset[str]:
    """DuckDB's own views, by the names that need no schema."""
    views = "SELECT view_name FROM duckdb_views() WHERE internal AND schema_name <> 'information_schema'"
    return frozenset(name for (name,) in _parser().cursor().execute(views).fetchall())


def _of_sample(node: dict[str, Any]) -> str:
    sample = node.get("sample")
    return f"a sample {_CHANCE}" if isinstance(sample, dict) and not sample.get("repeatable") else ""
