"""A window whose files are late: deferred, not failed; one record when it is too late; nobody waits with it."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, TaskDeferred
from due_runs import HOUR, LAST, LONG_AGO, NOW, context
from tests.support.waiting import bound

from airloop import settings
from airloop.config import Pipeline, load_pipeline
from airloop.records import Window
from airloop.stores import alarms
from airloop_airflow import arrivals, pipelines, waiting


@pytest.fixture
def pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """An hourly toy of the present whose files may be six hours late."""
    from tests.support import hourly, toy

    here = toy.write_project(tmp_path / "project", settings.load_settings().project_dir)
    monkeypatch.setenv("AIRLOOP_PROJECT_DIR", str(here.project_dir))
    monkeypatch.setenv("AIRLOOP_HOME", str(here.home))
    return hourly.declare(here, files="{day}T{hour}.csv", coverage="2020-01-01", lateness_hours=6)


def land(window: Window, *feeds: str) -> None:
    from tests.support import hourly

    for feed in feeds:
        hourly.land(settings.load_settings(), feed, window.start, [], name=f"{window.start:%Y-%m-%dT%H}.csv")


def execute(pipeline: Pipeline, window: Window, run_type: str, what: str = waiting.FILES) -> None:
    task = waiting.Await(task_id="arrive", pipeline=pipeline.name, group="data", what=what)
    waiting.Await.execute.__wrapped__(task, context(pipeline, window, run_type))


@pytest.mark.parametrize("run_type", ["scheduled", "operator_triggered"])
def test_a_run_whose_files_are_late_is_deferred(pipeline: Pipeline, run_type: str) -> None:
    land(Window(LAST.start - HOUR, LAST.start), "jobs", "heat")
    land(LAST, "jobs")
    with pytest.raises(TaskDeferred) as deferred:
        execute(pipeline, LAST, run_type)
    path, arguments = deferred.value.trigger.serialize()
    assert path == "airloop_airflow.waiting.AwaitTrigger"
    assert datetime.fromisoformat(arguments["until"]) == LAST.end + 6 * HOUR
    assert deferred.value.timeout is None
    land(LAST, "heat")
    execute(pipeline, LAST, run_type)


@pytest.mark.parametrize("run_type", ["manual", "backfill"])
def test_a_person_and_a_backfill_do_not_wait(pipeline: Pipeline, run_type: str) -> None:
    land(LAST, "jobs")
    execute(pipeline, LAST, run_type)


def test_when_it_is_too_late_the_first_run_fails_once_and_those_after_it_are_skipped(pipeline: Pipeline) -> None:
    land(Window(LONG_AGO.start - HOUR, LONG_AGO.start), "jobs", "heat")
    with pytest.raises(
        AirflowFailException, match=r"the source of \w+ has stalled: its files end at .* Land its files"
    ):
        execute(pipeline, LONG_AGO, "scheduled")
    with pytest.raises(AirflowSkipException, match="had stalled before this window; see its alarm"):
        execute(pipeline, Window(LONG_AGO.end, LONG_AGO.end + HOUR), "scheduled")
    here = settings.load_settings()
    assert {item.alarm.kind for item in alarms.raised(pipeline, here)} == {"source_stalled"}
    # What the inbox starts has other files to read.
    execute(pipeline, LONG_AGO, "operator_triggered")
    land(LONG_AGO, "jobs", "heat")
    execute(pipeline, LONG_AGO, "operator_triggered")
    assert alarms.raised(pipeline, here) == ()


def test_scoring_waits_for_features_and_is_skipped_when_they_do_not_come(pipeline: Pipeline) -> None:
    land(Window(LAST.start - HOUR, LAST.start), "jobs", "heat")
    with pytest.raises(TaskDeferred):
        execute(pipeline, LAST, "scheduled", waiting.FEATURES)
    land(Window(LONG_AGO.start - HOUR, LONG_AGO.start), "jobs")
    with pytest.raises(AirflowSkipException, match="features were not built in time; see toy__data"):
        execute(pipeline, LONG_AGO, "scheduled", waiting.FEATURES)


def test_the_trigger_fires_when_the_files_land_and_when_it_is_too_late(pipeline: Pipeline) -> None:
    async def first(trigger: waiting.AwaitTrigger) -> Any:
        return await asyncio.wait_for(anext(trigger.run()), timeout=bound(60))

    def trigger(until: datetime) -> waiting.AwaitTrigger:
        made = waiting.AwaitTrigger(pipeline.name, LAST.to_json(), waiting.FILES, until.isoformat(), poll_seconds=0.01)
        return waiting.AwaitTrigger(**made.serialize()[1])

    async def lands_meanwhile() -> None:
        waits = asyncio.create_task(first(trigger(NOW + 6 * HOUR)))
        for _ in range(20):
            await asyncio.sleep(0)
        assert not waits.done()
        land(LAST, "jobs", "heat")
        await waits

    asyncio.run(first(trigger(NOW - HOUR)))
    asyncio.run(lands_meanwhile())


def test_a_run_of_the_calendar_that_data_has_not_reached_is_skipped_and_leaves_nothing(pipeline: Pipeline) -> None:
    today = context(pipeline, LAST, "scheduled")
    with pytest.raises(AirflowSkipException, match="no file has landed yet"):
        arrivals.due_window(pipeline, today, "data")
    assert arrivals.due_window(pipeline, context(pipeline, LAST, "manual"), "data") == LAST
    land(Window(LAST.start - HOUR, LAST.start), "jobs", "heat")
    assert arrivals.due_window(pipeline, today, "data") == LAST
    assert alarms.raised(pipeline, settings.load_settings()) == ()


def test_runs_that_wait_stand_in_nobodys_way_and_others_follow_each_other_as_before(pipeline: Pipeline) -> None:
    given = pipelines.defaults(pipeline, "data", doc="Data.", params={})
    made = waiting.side_by_side(pipeline, given, "data")
    assert made["max_active_runs"] == 10
    assert made["default_args"]["max_active_tis_per_dag"] == 1
    shipped = load_pipeline("toy", settings.load_settings()).model_copy(update={"feeds": {}})
    assert waiting.side_by_side(shipped, given, "data") == given
    assert given["max_active_runs"] == 1


def test_the_task_that_waits_is_there_only_where_a_feed_may_be_late(pipeline: Pipeline) -> None:
    from airflow.sdk import DAG, task

    tasks = {}
    for name, declared in (("late", pipeline), ("shipped", pipeline.model_copy(update={"feeds": {}}))):
        with DAG(name, schedule=None) as dag:
            waiting.waits_for(waiting.FILES, declared, "data", before=task(lambda: None, task_id="ingest")())
        tasks[name] = {item.task_id: (item.upstream_task_ids, item.execution_timeout) for item in dag.tasks}
    assert tasks["late"]["ingest"][0] == {"arrive"}
    assert tasks["late"]["arrive"] == (set(), None)
    assert set(tasks["shipped"]) == {"ingest"}
