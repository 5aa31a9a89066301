"""features.sql reads the feeds and nothing beside: files, settings, extensions and this process are closed to it."""

from pathlib import Path

import pyarrow as pa
import pytest
from tests.support import toy

from airloop.config import Pipeline
from airloop.errors import ConfigError
from airloop.features import sections, sql_database
from airloop.features.dialects.values import values_of
from airloop.features.sections import Section
from airloop.settings import Settings

WINDOW = toy.days(5, 6)
HEAT = pa.table({"celsius": [1.0, 2.0]})


@pytest.fixture
def pipeline(toy_settings: Settings) -> Pipeline:
    return toy.toy_pipeline(toy_settings)


@pytest.fixture
def landed(tmp_path: Path) -> Path:
    path = tmp_path / "landed.csv"
    path.write_text("celsius\n99\n")
    return path


def _run(pipeline: Pipeline, sql: str) -> pa.Table:
    with sections.connect(pipeline, WINDOW, {"heat": HEAT}) as connection:
        return sections.query(connection, pipeline, Section("view", "probe", sql, line=7))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('{}')",
        "SELECT * FROM '{}'",
        "SELECT * FROM read_text('{}')",
        "SELECT * FROM read_blob('{}')",
        "SELECT * FROM read_parquet('{}')",
        "SELECT * FROM read_json('{}')",
        "SELECT * FROM sniff_csv('{}')",
        "SELECT * FROM glob('{}')",
        "SELECT h.celsius FROM heat h, read_csv('{}') f",
        "SELECT * FROM query('SELECT * FROM read_csv(''{}'')')",
    ],
)
def test_a_query_that_reads_a_file_is_refused_and_told_to_land_a_feed(
    pipeline: Pipeline, landed: Path, sql: str
) -> None:
    with pytest.raises(ConfigError, match="declare the data as a feed and land it") as refused:
        _run(pipeline, sql.format(landed))
    assert "toy/features.sql:7, section probe: " in str(refused.value)


@pytest.mark.parametrize(
    "sql",
    [
        "COPY heat TO '{}'",
        "ATTACH '{}' AS other",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET threads = 8",
        "RESET lock_configuration",
        "SET VARIABLE lead_minutes = 0",
        "EXPORT DATABASE '{}'",
        "CREATE SECRET s (TYPE s3)",
        "CALL duckdb_settings()",
        "PRAGMA database_list",
    ],
)
def test_a_statement_that_is_no_query_is_refused_and_does_nothing(pipeline: Pipeline, landed: Path, sql: str) -> None:
    with pytest.raises(ConfigError, match=r"features\.sql:7, section probe: is a [A-Z]+; a section is one SELECT"):
        _run(pipeline, sql.format(landed))
    assert landed.read_text() == "celsius\n99\n"


@pytest.mark.parametrize("sql", ["COPY heat TO '{}'", "SET threads = 8", "INSTALL httpfs", "LOAD httpfs"])
def test_the_database_itself_is_closed_too(pipeline: Pipeline, landed: Path, sql: str) -> None:
    with sql_database.closed_database(values_of(pipeline, WINDOW)) as connection:
        connection.register("heat", HEAT)
        with pytest.raises(Exception, match=r"disabled|lock"):
            connection.execute(sql.format(landed))


def test_a_table_step_is_closed_like_a_view(pipeline: Pipeline, landed: Path) -> None:
    step = Section("table", "step", f"SELECT * FROM read_csv('{landed}')")
    with sections.connect(pipeline, WINDOW, {}) as connection, pytest.raises(ConfigError, match="declare the data"):
        sections.create_table(connection, pipeline, step)


def test_a_variable_of_this_process_is_no_table(pipeline: Pipeline) -> None:
    future = pa.table({"celsius": [3.0]})
    assert future.num_rows == 1
    with pytest.raises(ConfigError, match="Table with name future does not exist"):
        _run(pipeline, "SELECT * FROM future")


@pytest.mark.parametrize(
    "sql", ["SELECT getenv('HOME') AS a", "SELECT * FROM sqlite_scan('a', 'b')", "SELECT * FROM duckdb_secrets()"]
)
def test_the_environment_and_extensions_are_closed(pipeline: Pipeline, sql: str) -> None:
    with pytest.raises(ConfigError, match=r"features\.sql:7, section probe: "):
        _run(pipeline, sql)


def test_the_line_of_an_error_is_the_files(pipeline: Pipeline) -> None:
    with pytest.raises(ConfigError, match=r'features\.sql:9, section probe: .*column "nothing" not found'):
        _run(pipeline, "SELECT celsius,\n  -- why\n  nothing FROM heat")


def test_time_zones_json_and_a_sort_that_spills_work_as_before(pipeline: Pipeline) -> None:
    rows = _run(
        pipeline,
        "SELECT timezone('Europe/Berlin', TIMESTAMPTZ '2020-01-01 00:00Z') AS local, json_extract('[1]', '$[0]') AS j, "
        "getvariable('lead_minutes') AS lead, sum(celsius) AS total FROM heat",
    )
    assert rows.to_pylist()[0]["lead"] == 30
    assert rows["total"].to_pylist() == [3.0]


ENDLESS = "WITH RECURSIVE steps(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM steps) SELECT max(n) AS n FROM steps"


def test_a_query_that_does_not_end_is_given_up_where_a_limit_is_set(pipeline: Pipeline) -> None:
    given_up = r"features\.sql:7, section probe: .*has not ended after 0\.2 s of work"
    limited = sections.connect(pipeline, WINDOW, {"heat": HEAT}, query_seconds=0.2)
    with limited as connection, pytest.raises(ConfigError, match=given_up):
        sections.query(connection, pipeline, Section("view", "probe", ENDLESS, line=7))


def test_a_query_within_the_limit_gives_its_rows(pipeline: Pipeline) -> None:
    with sections.connect(pipeline, WINDOW, {"heat": HEAT}, query_seconds=600) as connection:
        rows = sections.query(connection, pipeline, Section("view", "probe", "SELECT celsius FROM heat", line=7))
    assert rows["celsius"].to_pylist() == [1.0, 2.0]
