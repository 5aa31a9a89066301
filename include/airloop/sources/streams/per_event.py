"""Feature views that read one event alone: their own SQL, run over a few events, gives what it gives over a window.

A query that reads one table and neither joins, groups, orders, aggregates nor looks at other rows makes each row of
one row. So the value that goes online with an event is the one that build_features will write, by the same text.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import cache
from typing import Any

import duckdb
import pyarrow as pa

from airloop.config.nearest import nearest
from airloop.errors import ConfigError
from airloop.features import feature_views, sections, sql_text
from airloop.features.feature_store import view_types, views
from airloop.features.sections import Section
from airloop.records import Window
from airloop.settings import Settings
from airloop.sources.streams.declared import Stream

_OTHER_ROWS = {
    "cte_map": "a WITH",
    "group_expressions": "GROUP BY",
    "having": "HAVING",
    "qualify": "QUALIFY",
    "sample": "a sample",
    "modifiers": "ORDER BY, DISTINCT or LIMIT",
}
_FIXED_VARIABLES = ("lead_minutes", "lookback_days")


def online_sections(stream: Stream, settings: Settings) -> dict[str, Section]:
    """View -> its query, of the views declared to go online with each event.

    Raises:
        ConfigError: There is no such view, or it does more than read one event of this feed.
    """
    declared_views = {
        one.name: one for one in sections.feature_sections(stream.pipeline, settings) if one.kind == "view"
    }
    place = f"{stream.pipeline.name}/pipeline.yaml: feeds.{stream.feed}.source.options.online"
    for name in stream.options.online:
        if name not in declared_views:
            known = ", ".join(declared_views)
            raise ConfigError(
                f"{place}: features.sql has no view {name!r}{nearest(name, declared_views)} (views: {known})"
            )
        if why := why_not(declared_views[name], stream.feed) or _keeps_late(
            declared_views[name], str(stream.options.late)
        ):
            where = f"{stream.pipeline.name}/features.sql:{declared_views[name].line}"
            raise ConfigError(
                f"{place}: view {name!r} cannot be computed from one event: {why} ({where}); leave it out of `online`, "
                "and its values come with their window"
            )
    return {name: declared_views[name] for name in stream.options.online}


def why_not(section: Section, feed: str) -> str:
    """Why a view's row is not made of one row of the feed; empty when it is."""
    if section.through:
        return f"it goes through {section.through}, which may look at several rows"
    tree = sql_text.tree(section.sql)
    if tree is None:
        return "DuckDB does not say what it reads"
    node = tree[0]["node"]
    if node["type"] != "SELECT_NODE":
        return "it puts several queries together"
    if node["from_table"].get("type") != "BASE_TABLE" or node["from_table"]["table_name"].lower() != feed:
        return f"it reads something else than {feed}"
    if node["aggregate_handling"] != "STANDARD_HANDLING" or node["from_table"]["sample"]:
        return "it groups or samples"
    for key, says in _OTHER_ROWS.items():
        part = node[key]
        if part["map"] if key == "cte_map" else part:
            return f"it has {says}"
    return next(_strange(node), "")


def _keeps_late(section: Section, late: str) -> str:
    """Why a late event would turn the view's value back; empty when its WHERE speaks of the column."""
    where = (sql_text.tree(section.sql) or [{"node": {}}])[0]["node"].get("where_clause")
    return "" if late.lower() in _columns(where) else f"its late events would turn values back: add WHERE NOT {late}"


def _columns(node: Any) -> set[str]:
    if isinstance(node, list):
        return set().union(*map(_columns, node))
    if not isinstance(node, dict):
        return set()
    own = {str(node["column_names"][-1]).lower()} if node.get("class") == "COLUMN_REF" else set()
    return own.union(*map(_columns, node.values()))


def _strange(node: Any) -> Iterator[str]:
    """What of a tree looks at other rows than the one."""
    if isinstance(node, list):
        for item in node:
            yield from _strange(item)
    if not isinstance(node, dict):
        return
    kind, name = node.get("class"), str(node.get("function_name", "")).lower()
    if kind == "WINDOW":
        yield f"{name} looks at other rows"
    elif kind == "SUBQUERY":
        yield "it has a query within"
    elif kind == "FUNCTION" and name in _aggregates():
        yield f"{name} is an aggregate"
    elif kind == "FUNCTION" and name in ("unnest", "generate_subscripts"):
        yield f"{name} makes several rows of one"
    elif kind == "FUNCTION" and name == "getvariable" and _argument(node) not in _FIXED_VARIABLES:
        yield f"getvariable({_argument(node)!r}) is another one in each window"
    for value in node.values():
        yield from _strange(value)


def _argument(node: Mapping[str, Any]) -> str:
    literal = node["arguments"][0]["expression"].get("literal") or {} if node.get("arguments") else {}
    return str(literal.get("text", ""))


@cache
def _aggregates() -> frozenset[str]:
    """Names of aggregates, and of the macros that are made of one (geomean, weighted_avg)."""
    query = "SELECT function_name, function_type, macro_definition FROM duckdb_functions()"
    with duckdb.connect() as connection:
        rows = connection.execute(query).fetchall()
    names = {name.lower() for name, kind, _ in rows if kind == "aggregate"}
    macros = {name.lower() for name, _, text in rows if text and names & set(re.findall(r"\w+(?=\()", text.lower()))}
    return frozenset(names | macros)


def compute(stream: Stream, events: pa.Table, settings: Settings) -> dict[str, pa.Table]:
    """View -> its rows of these events, one of each key: the one known last.

    Args:
        events: Columns of the feed, known_at and created_at; not empty.

    Raises:
        ConfigError: See online_sections; or the query does not run.
    """
    online_views = online_sections(stream, settings)
    declared = {view.name: view for view in views(stream.pipeline, settings)}
    last = max(events["known_at"].to_pylist())
    window = Window(last - timedelta(days=1), last + timedelta(microseconds=1))
    computed = {}
    with sections.connect(stream.pipeline, window, {stream.feed: events}) as connection:
        for name, section in online_views.items():
            rows = feature_views.typed(sections.query(connection, stream.pipeline, section), view_types(declared[name]))
            computed[name] = _newest(rows, [one.name for one in declared[name].entity_columns])
    return computed


def _newest(rows: pa.Table, keys: list[str]) -> pa.Table:
    """Of each key the row known last; rows without a key have nobody who could ask for them."""
    known = rows["known_at"].to_pylist()
    columns = [rows[name].to_pylist() for name in keys]
    newest: dict[tuple[Any, ...], int] = {}
    for at, key in enumerate(zip(*columns, strict=True)):
        if None not in key and (key not in newest or known[at] >= known[newest[key]]):
            newest[key] = at
    return rows.take(pa.array(sorted(newest.values()), pa.int64()))
