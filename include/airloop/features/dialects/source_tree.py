"""A section of features.sql as a tree whose columns say where they come from and of which type they are."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import cast

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify

from airloop.config import Pipeline
from airloop.features.dialects.instead import INSTEAD
from airloop.features.dialects.values import Values

Columns = Mapping[str, exp.DataType]
Tables = dict[str, Columns]

_TYPES = {
    "string": "VARCHAR",
    "integer": "BIGINT",
    "float": "DOUBLE",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMPTZ",
}
_TIMES = ("known_at", "created_at")
_UNITS = {"to_seconds": "SECOND", "to_minutes": "MINUTE", "to_hours": "HOUR", "to_days": "DAY"}


_PLACE = re.compile(r"\.? Line: (\d+), Col: \d+")


class NotRead(ValueError):
    """The text cannot be read; the message says why, `line` counts from 1."""

    def __init__(self, says: str, line: int = 1) -> None:
        super().__init__(says)
        self.line = line


def feed_tables(pipeline: Pipeline) -> Tables:
    """The columns of every feed's clean table."""
    instants = dict.fromkeys(_TIMES, exp.DataType.build("TIMESTAMPTZ"))
    return {
        name: {column: exp.DataType.build(_TYPES[kind]) for column, kind in feed.columns.items()} | instants
        for name, feed in pipeline.feeds.items()
    }


def read(sql: str, values: Values, tables: Tables) -> exp.Query:
    """The query's tree: variables and to_days(...) as constants, stars and aliases resolved, every expression typed.

    Raises:
        NotRead: sqlglot cannot parse it, or a column or table is none of `tables`.
    """
    try:
        tree = sqlglot.parse_one(sql, read="duckdb")
    except SqlglotError as error:
        place = error.errors[0] if isinstance(error, ParseError) and error.errors else {}
        says = place.get("description") or str(error).partition("\n")[0]
        raise NotRead(f"cannot be parsed for another engine: {says}", place.get("line") or 1) from error
    _refuse_unread(tree, tables)
    constant = tree.transform(_constant, values, copy=False)
    schema: dict[str, object] = {
        name: {column: kind.sql("duckdb") for column, kind in columns.items()} for name, columns in tables.items()
    }
    try:
        qualified = qualify(constant, schema=schema, dialect="duckdb", quote_identifiers=True)
        return cast("exp.Query", annotate_types(qualified, schema=schema, dialect="duckdb"))
    except SqlglotError as error:
        says = str(error).partition("\n")[0]
        match = _PLACE.search(says)
        raise NotRead(_PLACE.sub("", says), int(match[1]) if match else 1) from error


def _refuse_unread(tree: exp.Expr, tables: Tables) -> None:
    """What would be lost, or said less clearly, once names are resolved."""
    if not isinstance(tree, exp.Query):
        raise NotRead("is not a SELECT; write one (a PIVOT as CASE WHEN ... END for each column)")
    for name in tree.find_all(exp.Identifier):
        # DuckDB keeps them and finds them in any spelling; other engines do one or the other.
        if name.name != name.name.lower() and isinstance(name.parent, exp.Alias | exp.CTE | exp.TableAlias):
            raise NotRead(f"{name.name}: write names in small letters", _line(name))
    for join in tree.find_all(exp.Join):
        if join.method:
            raise NotRead(f"{join.method} JOIN: {INSTEAD['method']}", _line(join))
    known = {*tables, *(item.alias.lower() for item in tree.find_all(exp.CTE))}
    for table in tree.find_all(exp.Table):
        if isinstance(table.this, exp.Identifier) and (table.db or table.name.lower() not in known):
            raise NotRead(f"{table.sql('duckdb')}: {INSTEAD['table']}", _line(table))


def _line(node: exp.Expr) -> int:
    return min((item.meta["line"] for item in node.walk() if "line" in item.meta), default=1)


def columns_of(tree: exp.Query) -> Columns:
    """The columns a query gives, by name."""
    unknown = exp.DataType.build("UNKNOWN")
    return {item.alias_or_name: item.type or unknown for item in tree.selects}


def _constant(node: exp.Expr, values: Values) -> exp.Expr:
    if isinstance(node, exp.Anonymous) and node.name.lower() == "getvariable" and len(node.expressions) == 1:
        return _literal(getattr(values, node.expressions[0].name, None)) or node
    if isinstance(node, exp.ToDays):
        return _interval(node, node.this, "DAY", values)
    if isinstance(node, exp.Anonymous) and node.name.lower() in _UNITS and len(node.expressions) == 1:
        return _interval(node, node.expressions[0], _UNITS[node.name.lower()], values)
    return node


def _interval(node: exp.Expr, amount: exp.Expr, unit: str, values: Values) -> exp.Expr:
    amount = _constant(amount, values)
    if not isinstance(amount, exp.Literal) or amount.is_string:
        return node
    return exp.Interval(this=exp.Literal.string(amount.name), unit=exp.var(unit))


def _literal(value: datetime | int | None) -> exp.Expr | None:
    if isinstance(value, datetime):
        return exp.cast(exp.Literal.string(value.isoformat(sep=" ")), "TIMESTAMPTZ")
    return None if value is None else exp.Literal.number(value)
