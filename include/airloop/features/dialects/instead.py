"""What to write instead of what is off the list: one portable spelling each."""

from sqlglot import exp

_AGGREGATE = "depends on the order in which rows are read; take the row by row_number() in QUALIFY"
_NUMERIC = "differs at the edges (0, NaN, halves); write it with floor, CASE and + - * /, or compute it before landing"
_TEXT = "differs by locale and alphabet; land the column as it is wanted"

INSTEAD: dict[type[exp.Expr] | str, str] = {
    exp.IntDiv: "raises on 0 here and elsewhere not; write CAST(floor(a / b) AS BIGINT)",
    exp.Round: "rounds halves another way elsewhere; write floor(x + CAST(0.5 AS DOUBLE))",
    exp.TryCast: "gives null for other texts elsewhere; declare the column's type in the feed",
    exp.Lower: _TEXT,
    exp.Upper: _TEXT,
    exp.ILike: _TEXT,
    exp.RegexpLike: "has another dialect of patterns elsewhere; write LIKE with a literal, or land a column",
    exp.First: _AGGREGATE,
    exp.Last: _AGGREGATE,
    exp.AnyValue: _AGGREGATE,
    exp.ArgMax: _AGGREGATE,
    exp.ArgMin: _AGGREGATE,
    exp.ArrayAgg: _AGGREGATE,
    exp.GroupConcat: _AGGREGATE,
    exp.Limit: _AGGREGATE,
    exp.Ln: _NUMERIC,
    exp.Log: _NUMERIC,
    exp.Exp: _NUMERIC,
    exp.Sqrt: _NUMERIC,
    exp.Pow: _NUMERIC,
    exp.Second: "keeps fractions elsewhere; write floor(epoch(x)) - 60 * floor(epoch(x) / 60)",
    exp.If: "write CASE WHEN ... THEN ... END",
    exp.CountIf: "write sum(CASE WHEN ... THEN 1 ELSE 0 END)",
    exp.Exists: "write a join",
    exp.ToDays: "write INTERVAL with a literal, like INTERVAL 3 DAY",
    exp.DateAdd: "write x + INTERVAL 3 DAY",
    exp.Values: "land it as a static feed",
    exp.Lateral: "write a join",
    "date_part": "write extract(hour FROM x)",
    "weekday": "write isodow(x)",
    "epoch_ms": "write epoch(x)",
    "to_hours": "write INTERVAL with a literal, like INTERVAL 3 HOUR",
    "to_minutes": "write INTERVAL with a literal, like INTERVAL 15 MINUTE",
    "to_seconds": "write INTERVAL with a literal, like INTERVAL 30 SECOND",
    "limit": f"LIMIT {_AGGREGATE}",
    "offset": f"OFFSET {_AGGREGATE}",
    "on": "DISTINCT ON takes any row; write QUALIFY row_number() OVER (... ORDER BY ...) = 1",
    "tablesample": "a sample draws other rows elsewhere; choose rows by a column",
    "groupingsets": "write the groups one by one and UNION ALL",
    "sample": "a sample draws other rows elsewhere; choose rows by a column",
    "method": "this join (ASOF, POSITIONAL, NATURAL) is printed elsewhere as it is, with other rows; write JOIN ... ON "
    "and QUALIFY row_number() for the newest match",
    "recursive": "a recursive WITH is not proven; write its steps as `-- table:` sections",
    "by_name": "UNION BY NAME is DuckDB's own; write the columns in one order",
    "rollup": "write the groups one by one and UNION ALL",
    "cube": "write the groups one by one and UNION ALL",
    "grouping_sets": "write the groups one by one and UNION ALL",
    "db": "names a schema; a query reads the pipeline's feeds and its own steps, and nothing else",
    "table": "is neither a feed nor a step before this section; a query reads those and nothing else",
    "query": "write a join",
    "exclude": "write the frame without EXCLUDE",
    "except_": "write the columns one by one",
    "pivots": "write CASE WHEN ... END for each column",
}
"""A class of sqlglot's tree, a part of one, or (in small letters) the name of a function that it does not know."""
