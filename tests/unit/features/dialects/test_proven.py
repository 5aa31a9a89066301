"""What of DuckDB's SQL is carried to other engines, and what is refused, with its line and another way to write it."""

from datetime import UTC, datetime

import pytest

from airloop.features.dialects import source_tree, translate
from airloop.features.dialects.translate import OffTheList, Translator
from airloop.features.dialects.values import Values

WINDOW = Values(datetime(2013, 3, 1, tzinfo=UTC), datetime(2013, 4, 1, tzinfo=UTC), 30, 60)
TYPES = {"i": "BIGINT", "k": "BIGINT", "x": "DOUBLE", "y": "DOUBLE", "s": "VARCHAR", "b": "BOOLEAN"}


def tables() -> source_tree.Tables:
    from sqlglot import exp

    columns = {
        name: exp.DataType.build(kind) for name, kind in (TYPES | {"t": "TIMESTAMPTZ", "u": "TIMESTAMPTZ"}).items()
    }
    return {"rows": columns, "others": dict(columns)}


def carried(sql: str, dialect: str = "postgres") -> str:
    return Translator(dialect, WINDOW, tables()).translate(sql)


def refused(sql: str) -> list[str]:
    with pytest.raises(OffTheList) as error:
        carried(sql)
    return [f"{item.line}: {item.message}" for item in error.value.refusals]


@pytest.mark.parametrize(
    ("expression", "way_out"),
    [
        ("i // 7", "CAST(floor(a / b) AS BIGINT)"),
        ("i % k", "a literal behind it"),
        ("i % 0", "a literal behind it"),
        ("x % 7", "whole number before %"),
        ("x / 0", "divides by 0"),
        ("s / 2", "cast both sides to DOUBLE"),
        ("round(x)", "floor(x + CAST(0.5 AS DOUBLE))"),
        ("round(x, 2)", "floor(x + CAST(0.5 AS DOUBLE))"),
        ("i * 0.1", "CAST(0.1 AS DOUBLE)"),
        ("NULL", "CAST(NULL AS DOUBLE)"),
        ("0.1 + 0.2", "CAST(0.1 AS DOUBLE)"),
        ("(CASE WHEN b THEN 0.29 ELSE 1 END) * 100", "CAST(0.29 AS DOUBLE)"),
        ("coalesce(i, 0.1)", "CAST(0.1 AS DOUBLE)"),
        ("date_trunc('day', t AT TIME ZONE 'America/New_York')", "local time"),
        ("x::INT", "CAST(floor(x) AS BIGINT)"),
        ("2.5::INT", "CAST(floor(x) AS BIGINT)"),
        ("s::DOUBLE", "declare the feed's column"),
        ("s::INT", "CAST(floor(x) AS BIGINT)"),
        ("i::VARCHAR", "cast to VARCHAR"),
        ("x::FLOAT", "is not proven"),
        ("x::DECIMAL(10, 2)", "is not proven"),
        ("t::DATE", "is not proven"),
        ("TRY_CAST(s AS DOUBLE)", "declare the column's type"),
        ("s || i", "joins texts"),
        ("s || t", "joins texts"),
        ("concat(s, i)", "not proven"),
        ("s = i", "puts a number and a text together"),
        ("t > '2013-01-01'", "puts an instant and a text together"),
        ("coalesce(s, 0)", "puts a number and a text together"),
        ("upper(s)", "land the column"),
        ("lower(s)", "land the column"),
        ("s ILIKE 'a%'", "land the column"),
        ("s LIKE s", "literal pattern"),
        ("s LIKE 'a\\_%'", "without a backslash"),
        ("regexp_matches(s, 'a')", "LIKE"),
        ("substr(s, 0, 2)", "not proven"),
        ("strftime(t, '%H')", "not proven"),
        ("t - u", "date_diff('minute', a, b)"),
        ("t + i * INTERVAL 1 MINUTE", "INTERVAL with a literal"),
        ("t - to_minutes(i)", "INTERVAL with a literal"),
        ("date_diff('month', t, u)", "'second', 'minute', 'hour' or 'day'"),
        ("date_sub('hour', t, u)", "not proven"),
        ("date_part('hour', t)", "extract(hour FROM x)"),
        ("second(t)", "floor(epoch(x))"),
        ("extract(millisecond FROM t)", "extract(PART FROM x)"),
        ("weekday(t)", "isodow(x)"),
        ("hour(t AT TIME ZONE s)", "literal of its place"),
        ("hour(t AT TIME ZONE 'EST')", "literal of its place"),
        ("(t AT TIME ZONE 'America/New_York') AT TIME ZONE 'UTC'", "local time"),
        ("t AT TIME ZONE 'America/New_York'", "local time"),
        ("time_bucket(INTERVAL 1 MONTH, t)", "seconds, minutes, hours or days"),
        ("time_bucket(to_minutes(i), t)", "INTERVAL with a literal"),
        ("date_trunc('decade', t)", "date_trunc of an instant"),
        ("TIMESTAMPTZ '1.3.2013'", "write the instant as"),
        ("'infinity'::TIMESTAMPTZ", "within least"),
        ("sqrt(x)", "differs at the edges"),
        ("ln(x)", "differs at the edges"),
        ("power(x, 2)", "differs at the edges"),
        ("b + 1", "date_diff"),
        ("CASE WHEN i THEN 1 END", "not a comparison"),
        ("CASE WHEN b THEN 1 ELSE 'a' END", "different or unknown types"),
        ("CASE s WHEN 'a' THEN 1 END", "CASE WHEN x = ..."),
        ("if(b, 1, 2)", "CASE WHEN"),
        ("NOT i", "joins something else than conditions"),
        ("(SELECT max(i) FROM others)", "write a join"),
        ("i IN (SELECT i FROM others)", "write a join"),
        ("EXISTS (SELECT 1 FROM others)", "write a join"),
        ("[i, k]", "not proven"),
        ("random()", "not proven"),
        ("pg_sleep(1)", "not proven"),
        ("sum(i) OVER (ORDER BY t RANGE BETWEEN INTERVAL 1 HOUR PRECEDING AND CURRENT ROW)", "frame in ROWS"),
        ("lag(i IGNORE NULLS) OVER (ORDER BY t)", "without IGNORE NULLS"),
    ],
)
def test_what_engines_answer_differently_is_refused_with_another_way_to_write_it(expression: str, way_out: str) -> None:
    lines = refused(f"SELECT s,\n  {expression} AS made\nFROM rows")
    assert any(way_out in line for line in lines), lines
    assert all(line.startswith("2: ") for line in lines), lines


@pytest.mark.parametrize(
    ("sql", "way_out"),
    [
        ("SELECT max(x) OVER () AS m, i FROM rows LIMIT 3", "LIMIT"),
        ("SELECT r.i FROM rows r ASOF JOIN others o ON r.t >= o.t", "ASOF"),
        ("SELECT r.i FROM rows r POSITIONAL JOIN others o", "ASOF"),
        ("SELECT r.i FROM rows r NATURAL JOIN others o", "ASOF"),
        ("SELECT r.i FROM rows r SEMI JOIN others o ON r.i = o.i", "DISTINCT keys"),
        ("SELECT s, arg_max(x, t) AS x FROM rows GROUP BY s", "row_number()"),
        ("SELECT s, any_value(x) AS x FROM rows GROUP BY s", "row_number()"),
        ("SELECT s, first(x) AS x FROM rows GROUP BY s", "row_number()"),
        ("SELECT s, string_agg(s) AS x FROM rows GROUP BY s", "row_number()"),
        ("SELECT s, median(x) AS x FROM rows GROUP BY s", "not proven"),
        ("SELECT s, stddev(x) AS x FROM rows GROUP BY s", "not proven"),
        ("SELECT s, max(b) AS x FROM rows GROUP BY s", "numbers, texts and instants"),
        ("SELECT s, sum(b) AS x FROM rows GROUP BY s", "numbers whose type is known"),
        ("SELECT DISTINCT ON (s) s, i FROM rows", "QUALIFY row_number()"),
        ("SELECT i FROM rows TABLESAMPLE 10 PERCENT", "other rows"),
        ("SELECT i FROM public.rows", "public"),
        ("SELECT i FROM pg_catalog.pg_authid", "pg_authid"),
        ("SELECT i FROM elsewhere", "elsewhere"),
        ("SELECT * FROM read_csv('a.csv')", "read_csv"),
        ("WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT i FROM n", "RECURSIVE"),
        ("SELECT i FROM rows UNION ALL BY NAME SELECT i FROM others", "BY NAME"),
        ("SELECT s, sum(i) AS n FROM rows GROUP BY ROLLUP (s)", "UNION ALL"),
        ("SELECT 1 AS one, sum(i) AS n FROM rows GROUP BY ALL", "write the keys"),
        ("SELECT no_such AS n FROM rows", "no_such"),
        ("SELECT i FROM rows WHERE", "cannot be parsed"),
        ("PIVOT rows ON s USING sum(i)", ""),
        ("SELECT unnest(generate_series(1, i)) AS n FROM rows", "generate_series between two instants"),
        ("SELECT unnest([i, k]) AS n FROM rows", "not proven"),
        ("SELECT [v + 1 FOR v IN [i, k]] AS n FROM rows", ""),
        ("SELECT unnest(range(t, u, INTERVAL 1 HOUR)) AS n FROM rows", "leaves out its end"),
        ("SELECT i AS Bucket FROM rows", "small letters"),
    ],
)
def test_what_reads_rows_in_another_way_is_refused(sql: str, way_out: str) -> None:
    assert any(way_out.lower() in line.lower() for line in refused(sql)), refused(sql)


@pytest.mark.parametrize("dialect", ["postgres", "spark"])
@pytest.mark.parametrize(
    "expression",
    [
        "i + k * 2",
        "x / (y + 3.0)",
        "i * 2.5",
        "CAST(0.1 AS DOUBLE) * i",
        "CAST(floor(x) AS BIGINT)",
        "(i >= 3)::INT",
        "s || '-' || s",
        "coalesce(s, 'UNKNOWN')",
        "date_diff('minute', t, u)",
        "isodow(t AT TIME ZONE 'America/New_York')",
        "time_bucket(INTERVAL 1 DAY, t, TIMESTAMPTZ '2000-01-01 05:00:00+00')",
        "t - to_minutes(getvariable('lead_minutes'))",
        "sum(i) OVER (PARTITION BY s ORDER BY t ROWS BETWEEN 3 PRECEDING AND CURRENT ROW)",
    ],
)
def test_what_is_proven_is_carried(expression: str, dialect: str) -> None:
    assert carried(f"SELECT s, {expression} AS made FROM rows", dialect).startswith("SELECT")


def test_one_mistake_is_one_line() -> None:
    sql = "SELECT s,\n  max(i),\n  (sum(i) + arg_max(x, t)) / 3.0 AS made\nFROM rows GROUP BY s"
    (line,) = refused(sql)
    assert line.startswith("3: ARG_MAX(rows.x, rows.t): depends on the order")


def test_a_step_is_known_to_the_sections_after_it() -> None:
    translator = Translator("postgres", WINDOW, tables())
    translator.translate("SELECT s, count(*) AS n FROM rows GROUP BY s", step="counted")
    assert "counted" in translator.translate("SELECT s, n / 2 AS half FROM counted")
    with pytest.raises(OffTheList, match="no_such"):
        translator.translate("SELECT no_such FROM counted")


def test_every_dialect_that_is_carried_to_has_rules() -> None:
    from airloop.features import engine_session
    from airloop.features.dialects import carry

    assert set(engine_session.DIALECTS) == {"duckdb", *carry.DIALECTS}
    assert translate.OffTheList is OffTheList
