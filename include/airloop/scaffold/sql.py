"""The SQL a table suggests: names as DuckDB takes them, one text that identifies a row, the label as a number."""

from functools import cache

import duckdb

from airloop.scaffold.columns import Column, entity_key, is_text
from airloop.scaffold.roles import Roles


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


def label(roles: Roles) -> tuple[str, str]:
    """The label as DOUBLE (0 and 1, a value, a class number), and what that assumes, in words."""
    column = name(roles.label)
    if roles.task == "regression" or set(roles.classes) == {0, 1}:
        return f"{column}::DOUBLE", ""
    if roles.task == "binary":
        yes = _literal(roles.classes[-1])
        return f"({column} = {yes})::DOUBLE", f"1 stands for {roles.label} = {yes}, 0 for the other value."
    values = ", ".join(map(_literal, roles.classes))
    return f"(list_position([{values}], {column}) - 1)::DOUBLE", "a value that is not listed counts as no outcome."


def _literal(value: str | float) -> str:
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value).lower()


@cache
def _keywords() -> frozenset[str]:
    query = "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category <> 'unreserved'"
    with duckdb.connect() as connection:
        return frozenset(row[0] for row in connection.execute(query).fetchall())
