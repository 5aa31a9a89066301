"""The engine that the settings name runs the sections: DuckDB where nothing is said, another where it is named."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from tests.support import extend_pages, toy
from tests.support.waiting import bound

from airloop.authoring.pipeline_check import check_pipeline
from airloop.config.engine import ENGINE
from airloop.errors import ConfigError
from airloop.features import engine_session, sections
from airloop.features.sections import Section
from airloop.settings import Settings, load_settings
from airloop.stores import lake

WINDOW = toy.days(5, 6)
HEAT = pa.table({"celsius": [1.0, 2.0]})


def _on(settings: Settings, engine: str, url: str = "") -> Settings:
    return load_settings(project_dir=settings.project_dir, home=settings.home, engine=engine, engine_url=url)


def test_duckdb_runs_where_nothing_is_said(toy_settings: Settings) -> None:
    assert toy_settings.engine == "duckdb"
    assert engine_session.engine_version(toy_settings) == f"duckdb {duckdb.__version__}"


def test_the_default_imports_nothing_of_other_engines(toy_settings: Settings) -> None:
    program = (
        "import sys; from airloop.features import build_features, engine_check; from airloop.cli import app;"
        "print([name for name in ('sqlglot', 'pyspark', 'adbc_driver_postgresql') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=bound(120)
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("columns", "hours"), [("known_at", [0, 23]), ("known_at AS at", [-1, 0, 23, 24])], ids=["known", "unknown"]
)
def test_rows_outside_a_window_do_not_come(toy_settings: Settings, columns: str, hours: list[int]) -> None:
    pipeline, hour = toy.toy_pipeline(toy_settings), timedelta(hours=1)
    known = pa.table({"known_at": pa.array([WINDOW.start + count * hour for count in (-1, 0, 23, 24)], lake.INSTANT)})
    with sections.connect(pipeline, WINDOW, {"heat": known}, toy_settings) as connection:
        rows = connection.query(f"SELECT {columns} FROM heat -- all", within=WINDOW)
    assert [(at - WINDOW.start) / hour for at in rows.column(0).to_pylist()] == hours


@pytest.mark.parametrize(("name", "says"), [("sprak", "did you mean 'spark'"), ("mysql", "duckdb, postgres, spark")])
def test_an_engine_that_is_not_there_is_refused(name: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as refused:
        engine_session.engine_class(load_settings(engine=name))
    assert "AIRLOOP_ENGINE" in str(refused.value)


def test_the_url_of_an_engine_is_a_secret() -> None:
    assert "sesame" not in repr(load_settings(engine="postgres", engine_url="postgresql://me:sesame@host/db"))


@pytest.mark.parametrize(
    ("engine", "url"), [("postgres", ""), ("postgres", "sc://host"), ("spark", ""), ("spark", "host:1")]
)
def test_an_engine_without_its_address_is_refused(toy_settings: Settings, engine: str, url: str) -> None:
    with pytest.raises(ConfigError, match=f"AIRLOOP_ENGINE_URL: engine {engine} needs"):
        engine_session.engine_version(_on(toy_settings, engine, url))


@pytest.mark.parametrize("engine", ["postgres", "spark"])
def test_the_check_refuses_what_the_engine_is_not_known_to_answer_alike(toy_settings: Settings, engine: str) -> None:
    path = toy_settings.pipelines_dir / "toy" / "features.sql"
    good, settings = path.read_text(), _on(toy_settings, engine)
    assert any(line.startswith("features.sql: ") for line in check_pipeline("toy", settings))
    path.write_text(good.replace("size AS job_size", "round(size / 3, 1) AS job_size"))
    assert any(line.startswith("features.sql: ") for line in check_pipeline("toy", toy_settings))
    with pytest.raises(ConfigError) as refused:
        check_pipeline("toy", settings)
    (line,) = str(refused.value).split("\n")
    assert line.startswith("toy/features.sql:3, section job_static: ROUND(jobs.size / 3, 1): rounds halves")
    assert line.endswith("write floor(x + CAST(0.5 AS DOUBLE))")


def test_a_section_that_is_off_the_list_does_not_run_there(toy_settings: Settings, tmp_path: Path) -> None:
    from tests.support.engine_sides import Deaf

    pipeline = toy.toy_pipeline(toy_settings)
    settings = _on(toy_settings, f"{Deaf.__module__}:{Deaf.__name__}")
    with sections.connect(pipeline, WINDOW, {}, settings) as session:
        with pytest.raises(
            ConfigError, match=r"toy/features.sql:7, section probe: MEDIAN\(heat.celsius\): is not proven"
        ):
            sections.query(session, pipeline, Section("view", "probe", "SELECT median(celsius) AS m FROM heat", line=7))
        with pytest.raises(ConfigError, match=r"toy/features.sql:7, section probe: said no"):
            sections.query(session, pipeline, Section("view", "probe", "SELECT celsius FROM heat", line=7))


def test_a_dialect_that_nothing_is_carried_to_is_refused(toy_settings: Settings) -> None:
    from tests.support.engine_sides import Foreign

    with pytest.raises(ConfigError, match="dialect 'mysql' is none of duckdb, postgres, spark"):
        engine_session.engine_class(_on(toy_settings, f"{Foreign.__module__}:{Foreign.__name__}"))


def test_the_engine_of_the_page_gives_what_duckdb_gives(
    toy_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    extend_pages.write("engines.md", tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    pipeline, settings = toy.toy_pipeline(toy_settings), _on(toy_settings, "shop_engines:BigDuckDB", str(tmp_path))
    rows = []
    for where in (None, settings):
        with sections.connect(pipeline, WINDOW, {"heat": HEAT}, where) as session:
            sections.create_table(session, pipeline, Section("table", "warm", "SELECT celsius + 1 AS more FROM heat"))
            query = "SELECT sum(more) AS n, getvariable('window_start') AS at FROM warm"
            rows.append(sections.query(session, pipeline, Section("view", "probe", query)))
    assert rows[0].equals(rows[1])
    assert engine_session.engine_version(settings).startswith("big duckdb ")


def test_airloop_list_prints_every_engine_with_its_help() -> None:
    from typer.testing import CliRunner

    from airloop.cli import app

    shown = CliRunner().invoke(app, ["list", "engines"]).stdout
    assert all(f"  {name} " in shown for name in ENGINE.names())
    assert ENGINE.names() == ("duckdb", "postgres", "spark")
