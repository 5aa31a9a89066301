"""What the text of a query says, by DuckDB's own tokenizer and parser: nothing here runs it."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import duckdb

_ONE = (duckdb.StatementType.SELECT, duckdb.StatementType.MULTI)  # a PIVOT is several statements to DuckDB
_BY_NAME = frozenset({"query", "query_table"})
"""Table functions that take the name of a table, or a query, as text."""


def tokens(sql: str) -> tuple[str, ...]:
    """The words of a query as they are written, without comments, white space and a closing semicolon.

    Two texts with the same tokens mean the same. Literals and quoted names keep every character. Unlike a parser's
    tree, tokens stay what they are when DuckDB is upgraded.
    """
    written = sql.encode()
    marks = duckdb.tokenize(sql)
    ends = [start for start, _ in marks[1:]] + [len(written)]
    words = [
        written[start:end].decode().strip()
        for (start, kind), end in zip(marks, ends, strict=True)
        if kind is not duckdb.token_type.comment
    ]
    while words and words[-1] in (";", ""):
        words.pop()
    return tuple(words)


@cache
def _parser() -> duckdb.DuckDBPyConnection:
    # One for the process: to open a database takes longer than to parse a query.
    return duckdb.connect(config={"threads": 1})


@cache
def problem(sql: str) -> str:
    """Why the text is not one query that only reads; empty when it is.

    Raises:
        duckdb.Error: It cannot be parsed; the message holds the line.
    """
    statements = _parser().cursor().extract_statements(sql)
    if len(statements) != 1:
        return (
            f"holds {len(statements)} queries instead of one; headings read `-- table: NAME`, `-- view: NAME` "
            "(both may end in `through FUNCTION`), `-- examples`, `-- labels`"
        )
    if statements[0].type not in _ONE:
        return f"is a {statements[0].type.name}; a section is one SELECT over the pipeline's feeds, and changes nothing"
    return ""


@cache
def tables_read(sql: str) -> frozenset[str] | None:
    """The tables a query reads, in small letters; a name it gives itself (WITH) is not one of them.

    None when DuckDB does not say: a PIVOT without its values, or a table whose name is made by the query.

    Raises:
        duckdb.Error: It cannot be parsed.
    """
    statements = tree(sql)
    if statements is None:
        return None
    names = frozenset(_tables(statements, frozenset()))
    return None if names & _BY_NAME else names


def tree(sql: str) -> Any | None:
    """The statements of a query as DuckDB parses them, as plain data; None when it does not say.

    Raises:
        duckdb.Error: It cannot be parsed.
    """
    parser = _parser().cursor()
    parser.extract_statements(sql)
    ((text,),) = parser.execute("SELECT json_serialize_sql(?)", [sql]).fetchall()
    parsed = json.loads(text)
    return None if parsed["error"] else parsed["statements"]


def _tables(node: Any, own: frozenset[str]) -> Iterator[str]:
    """Names of the tables below a node of DuckDB's tree; `own` are those of the WITHs around it."""
    if isinstance(node, list):
        for item in node:
            yield from _tables(item, own)
    if not isinstance(node, dict):
        return
    if node.get("type") == "BASE_TABLE" and (node["schema_name"] or node["table_name"].lower() not in own):
        yield node["table_name"].lower()
    if node.get("type") == "TABLE_FUNCTION" and node["function"]["function_name"].lower() in _BY_NAME:
        yield node["function"]["function_name"].lower()
    if node.get("type") == "RECURSIVE_CTE_NODE":
        own = own | {node["cte_name"].lower()}
    # A WITH sees those before it, what follows sees all of them.
    for entry in (node.get("cte_map") or {}).get("map", ()):
        yield from _tables(entry["value"], own)
        own = own | {entry["key"].lower()}
    for key, value in node.items():
        if key != "cte_map":
            yield from _tables(value, own)
