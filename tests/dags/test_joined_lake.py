"""What lies in the lake is the same whether hours came one by one or as a backlog, killed in between; so are alarms."""

from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa
from due_runs import HOUR, context
from tests.support import toy, toy_hours

from airloop.config import Pipeline, load_pipeline
from airloop.data import waiting_runs
from airloop.data.waiting_runs import WaitingRun
from airloop.features import validated
from airloop.records import Window
from airloop.run import stage_run
from airloop.settings import Settings, load_settings
from airloop.stores import alarms, lake, state, tables
from airloop_airflow import joined_windows, windows

pytestmark = pytest.mark.integration

HOURS = 4
# The same world up to day 24.
ONE_BY_ONE, BACKLOG = toy_hours.STAYS, toy_hours.CHANGES
ALL = Window(toy.START, toy.START + HOURS * HOUR)
NOW = toy.START + timedelta(days=400)
# A feature that reads outcomes sees those that were known, though more have landed.
OF_OUTCOMES = "celsius + (SELECT count(*) FROM failures f WHERE f.known_at < heat.known_at) AS celsius"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    root = tmp_path_factory.mktemp("joined")
    made = toy.write_project(root / "project", load_settings().project_dir)
    toy_hours.declare(made)
    for name in (ONE_BY_ONE, BACKLOG):
        path = made.pipelines_dir / name / "features.sql"
        text = path.read_text()
        path.write_text(text.replace("SELECT machine, celsius,", f"SELECT machine, {OF_OUTCOMES},"))
        assert path.read_text() != text
    return made


def heat(settings: Settings, name: str, hour: int) -> Path:
    return Path(settings.landing_uri) / name / "heat" / f"{toy.START + hour * HOUR:%Y-%m-%dT%H}.csv"


def take(pipeline: Pipeline, settings: Settings, started: set[WaitingRun]) -> list[WaitingRun]:
    """All that waits and was not started before, through the tasks of the data DAG up to the validated features."""
    runs = [run for run in waiting_runs.waiting_runs(pipeline, settings, now=NOW) if run not in started]
    for run in runs:
        _take(pipeline, run.over, windows.checks_conf(pipeline, run.over))
    started.update(runs)
    return runs


def _take(pipeline: Pipeline, over: Window, checks: dict[str, str]) -> None:
    asked = context(pipeline, over, "operator_triggered", **checks) | {"run_id": "inbox__1"}
    try:
        raw = joined_windows.go_on(
            "validate_raw", pipeline, ingest=joined_windows.begin("ingest", pipeline, asked, over)
        )
        built = joined_windows.build(pipeline, raw)
        features = joined_windows.go_on("validate_features", pipeline, build_features=built)
    except Exception:
        # A window that is alone fails; of joined ones none does.
        assert not checks
        return
    if checks:
        joined_windows.go_on("profile", pipeline, validate_raw=raw, validate_features=features)
    for left in features.get("alone", ()):
        _take(pipeline, Window.from_json(left), {})


def _killed(run_stage: Any, place: tuple[str, Window], name: str, at: Any, window: Window, **options: Any) -> Any:
    """A run that is killed at a window: those before it are through."""
    if (name, window) == place:
        raise KeyboardInterrupt
    return run_stage(name, at, window, **options)


def layers(pipeline: Pipeline, settings: Settings) -> dict[str, Any]:
    """The rows of every table of the lake, in order."""
    rows = {}
    for folder in sorted(Path(settings.lake_uri, pipeline.name).glob("*/*")):
        table: pa.Table = lake.read(str(folder), settings)
        kept = [name for name in table.column_names if name not in ("_run", "_source")]
        rows["/".join(folder.parts[-2:])] = sorted(map(str, table.select(kept).to_pylist()))
    return rows


def looks(pipeline: Pipeline, settings: Settings) -> list[Any]:
    """What each window is remembered by, and what is said of it."""
    table = tables.feed_sketches
    query = sa.select(table.c.feed, table.c.window_start, table.c.window_end, table.c.sketch)
    with state.reading(settings) as connection:
        sketches = connection.execute(query.where(table.c.pipeline == pipeline.name)).all()
    raised = [(item.stage, item.window, item.alarm) for item in alarms.raised(pipeline, settings)]
    return [sorted(map(tuple, sketches)), raised]


def test_a_backlog_leaves_what_its_hours_leave_one_by_one(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRLOOP_PROJECT_DIR", str(settings.project_dir))
    monkeypatch.setenv("AIRLOOP_HOME", str(settings.home))
    single, backlog = (load_pipeline(name, settings) for name in (ONE_BY_ONE, BACKLOG))
    broken = {1: "no,such,columns\n1,2,3\n", 2: "machine,measured_at,celsius\n"}
    started: dict[str, set[WaitingRun]] = {ONE_BY_ONE: set(), BACKLOG: set()}
    for hour in range(HOURS):
        toy_hours.land(settings, ONE_BY_ONE, toy.START + (hour + 1) * HOUR)
        for number, text in broken.items():
            heat(settings, ONE_BY_ONE, number).write_text(text)
        take(single, settings, started[ONE_BY_ONE])
    toy_hours.land(settings, BACKLOG, ALL.end)
    for number, text in broken.items():
        heat(settings, BACKLOG, number).write_text(text)
    run_stage = stage_run.run_stage
    with monkeypatch.context() as patched:
        patched.setattr(stage_run, "run_stage", partial(_killed, run_stage, ("validate_raw", toy_hours.hour(0, 3))))
        with pytest.raises(KeyboardInterrupt):
            take(backlog, settings, started[BACKLOG])
    assert [run.over for run in take(backlog, settings, started[BACKLOG])] == [ALL]
    assert validated.spans(backlog, ALL, settings) == validated.spans(single, ALL, settings)
    assert validated.spans(backlog, ALL, settings) == (toy_hours.hour(0, 0), toy_hours.hour(0, 3))
    assert layers(backlog, settings) == layers(single, settings)
    assert looks(backlog, settings) == looks(single, settings)
    # Mended, the hours are read, and those after them once more.
    for name in (ONE_BY_ONE, BACKLOG):
        toy_hours.land(settings, name, ALL.end)
    runs = [take(pipeline, settings, started[pipeline.name]) for pipeline in (single, backlog)]
    assert [run.over for run in runs[0]] == [run.over for run in runs[1]] == [Window(ALL.start + HOUR, ALL.end)]
    assert validated.spans(backlog, ALL, settings) == (ALL,)
    assert layers(backlog, settings) == layers(single, settings)
    assert looks(backlog, settings) == looks(single, settings)
    assert take(backlog, settings, started[BACKLOG]) == []
