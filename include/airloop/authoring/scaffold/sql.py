"""The SQL a table suggests: names as DuckDB takes them, one text that identifies a row, the label as a number."""

from collections.abc import Sequence
from functools import cache

import duckdb

from airloop.authoring.scaffold.columns import Column, entity_key, is_text
from airloop.authoring.scaffold.roles import Roles


def name(column: str) -> str:
    """A column's name, quoted unless it is a plain word that DuckDB keeps for nothing else."""
    plain = column.isascii() and column.isidentifier() and column.lower() not in _keywords()
    return column if plain else '"' + column.replace('"', '""') + '"'


def named(column: str, alias: str) -> str:
    """A column under an alias, where it needs one."""
    return name(column) if column == alias else f"{name(column)} AS {name(alias)}"


def entity(roles: Roles, columns: dict[str, Column], *, whole_seconds: bool) -> str:
    """The one text column that identifies a row, made of several where the key has several."""
    if is_text(roles):
        return named(roles.key[0], entity_key(roles))
    seconds = "%S" if whole_seconds else "%S.%f"
    parts = [
        f"strftime({name(part)}, '%Y-%m-%dT%H:%M:{seconds}Z')" if columns[part].kind == "timestamp" else name(part)
        for part in roles.key
    ]
    joined = parts[0] if len(parts) == 1 else f"concat_ws('|', {', '.join(parts)})"
    return f"{joined} AS {entity_key(roles)}"


def join(feed: str, column: str, columns: Sequence[Column]) -> str:
    """A static feed's features under names that no column of the rows has, joined by its key as text."""
    key = f"{feed}_key"
    selected = [f"{name(column)} AS {key}", *(named(item.name, item.feature) for item in columns if item.feature)]
    return (
        f"LEFT JOIN (SELECT {', '.join(selected)} FROM {name(feed)}) AS {feed}_rows\n"
        f"       ON {name(column)}::VARCHAR = {key}::VARCHAR"
    )


def label(roles: Roles) -> tuple[str, str]:
    """The label as DOUBLE (0 and 1, a value, a class number), and what that assumes, in words."""
    column = name(roles.label)
    if roles.task == "regression" or set(roles.classes) == {0, 1}:
        return f"{column}::DOUBLE", ""
    if roles.task == "binary":
        no, yes = map(_literal, roles.classes)
        says = f"1 stands for {roles.label} = {yes}, 0 for {no}; another value is an error, never a 0."
        return _numbered(roles, [f"WHEN {yes} THEN 1.0 WHEN {no} THEN 0.0"]), says
    whens = [f"WHEN {_literal(value)} THEN {place}.0" for place, value in enumerate(roles.classes)]
    says = "the classes of pipeline.yaml in their order; another value is an error, never no outcome."
    return _numbered(roles, whens), says


def _numbered(roles: Roles, whens: list[str]) -> str:
    """The label as a number, with an error instead of a guess for every value that is not declared."""
    column, label = name(roles.label), roles.label.replace("'", "''")
    otherwise = f"ELSE error('{label}: ' || {column} || ' is not a declared value') END::DOUBLE"
    return "\n         ".join([f"CASE {column}", *whens, otherwise])


def _literal(value: str | float) -> str:
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value).lower()


@cache
def _keywords() -> frozenset[str]:
    query = "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category <> 'unreserved'"
    with duckdb.connect() as connection:
        return frozenset(row[0] for row in connection.execute(query).fetchall())
