"""A query gives the same rows whenever it runs: the clock, chance and the process are refused, with the line."""

import pyarrow as pa
import pytest
from tests.support import toy

from airloop.errors import ConfigError
from airloop.features import sections
from airloop.features.sections import Section
from airloop.features.sql_clock import unstable
from airloop.settings import Settings

HEAT = pa.table({"celsius": [1.0, 2.0]})


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("SELECT now() AS t FROM heat", "now"),
        ("SELECT NOW() AS t FROM heat", "now"),
        ("SELECT pg_catalog.now() AS t FROM heat", "now"),
        ("SELECT current_timestamp AS t FROM heat", "current_timestamp"),
        ("SELECT * FROM heat WHERE known_at > CURRENT_DATE", "CURRENT_DATE"),
        ("SELECT localtimestamp AS t FROM heat", "localtimestamp"),
        ("SELECT today() AS t FROM heat", "today"),
        ("SELECT get_current_timestamp() AS t FROM heat", "get_current_timestamp"),
        ("SELECT current_localtimestamp() AS t FROM heat", "current_localtimestamp"),
        ("SELECT ago(INTERVAL 1 DAY) AS t FROM heat", "ago"),
        ("SELECT age(known_at) AS t FROM heat", "age"),
        ("WITH a AS (SELECT random() AS r FROM heat) SELECT * FROM a", "random"),
        ("SELECT * FROM heat ORDER BY uuid() LIMIT 3", "uuid"),
        ("SELECT * FROM heat QUALIFY row_number() OVER (ORDER BY gen_random_uuid()) = 1", "gen_random_uuid"),
        ("SELECT current_setting('threads') AS s FROM heat", "current_setting"),
        ("SELECT txid_current() AS s FROM heat", "txid_current"),
        ("SELECT * FROM heat USING SAMPLE 10%", "a sample"),
        ("SELECT * FROM heat TABLESAMPLE reservoir(10 ROWS)", "a sample"),
        ("SELECT * FROM duckdb_settings()", "duckdb_settings"),
        ("SELECT * FROM pragma_version()", "pragma_version"),
        ("SELECT * FROM information_schema.tables", "tables"),
        ("SELECT heat.* FROM heat, pg_catalog.pg_class", "pg_class"),
        ("SELECT * FROM duckdb_tables", "duckdb_tables"),
        ("SELECT * FROM sqlite_master", "sqlite_master"),
        ("FROM query('SELECT now() AS t')", "now"),
        ("FROM query('FROM query(''SELECT random() AS r'')')", "random"),
        ("FROM query('SELECT no' || 'w() AS t')", "put together"),
        ("PIVOT (SELECT now() AS t, celsius FROM heat) ON celsius USING count(*)", "now"),
    ],
)
def test_what_another_run_would_answer_otherwise_is_found(sql: str, names: str) -> None:
    found = unstable(sql)
    assert found is not None
    assert names in found.says


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT getvariable('window_end') AS t, known_at AS now FROM heat",
        "SELECT age(known_at, getvariable('window_end')) AS a FROM heat",
        "SELECT 'now()' AS random, \"uuid\" FROM heat -- now()",
        "SELECT * FROM heat USING SAMPLE reservoir(10 ROWS) REPEATABLE (1)",
        "SELECT unnest(range(3)) AS n, date_trunc('day', known_at) FROM heat, generate_series(1, 2)",
        "SELECT CASE WHEN celsius > 0 THEN 1 ELSE error('cold') END AS e FROM heat",
        "SELECT * FROM query('FROM heat')",
        "SELECT * FROM tables, columns, main.heat",
        "PIVOT heat ON celsius USING count(*)",
        "SELECT hash(celsius) % 10 AS h, heat.current_date FROM heat",
    ],
)
def test_what_depends_on_rows_and_window_alone_passes(sql: str) -> None:
    assert unstable(sql) is None


def test_a_section_is_refused_with_its_line_and_the_way_out(toy_settings: Settings) -> None:
    pipeline, window = toy.toy_pipeline(toy_settings), toy.days(5, 6)
    with sections.connect(pipeline, window, {"heat": HEAT}) as connection:
        late = Section("view", "probe", "SELECT celsius,\n  now() AS t\nFROM heat", line=7)
        with pytest.raises(ConfigError, match=r"features\.sql:8, section probe: now\(\) gives .*window_end"):
            sections.query(connection, pipeline, late)
        known = Section("view", "probe", "SELECT celsius,\n  getvariable('window_end') AS t\nFROM heat", line=7)
        assert sections.query(connection, pipeline, known).num_rows == 2
