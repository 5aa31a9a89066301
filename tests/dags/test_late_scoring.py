"""A window whose files came too late for the calendar is scored by itself, once; nothing else is."""

from pathlib import Path
from typing import Any

import pytest
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk.exceptions import AirflowSkipException
from due_runs import LAST, LONG_AGO, context

from airloop import settings
from airloop.config import Pipeline
from airloop.records import Scored, Window
from airloop.stores import state
from airloop_airflow import late_scoring


@pytest.fixture
def pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """An hourly toy of the present, with version 1 in force since 2020, whose files may be six hours late."""
    from tests.support import hourly, pages_stand, toy

    here = toy.write_project(tmp_path / "project", settings.load_settings().project_dir)
    monkeypatch.setenv("AIRLOOP_PROJECT_DIR", str(here.project_dir))
    monkeypatch.setenv("AIRLOOP_HOME", str(here.home))
    at = toy.days(0, 40).end
    pages_stand.promote(here, 1, pages_stand.decide(here, 1, at=at), at=at)
    return hourly.declare(here, files="{day}T{hour}.csv", coverage="2020-01-01", lateness_hours=6)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """Id and conf of the runs that were started."""
    runs: list[tuple[str, Any]] = []
    monkeypatch.setattr(
        TriggerDagRunOperator, "execute", lambda self, _context: runs.append((self.trigger_run_id, self.conf))
    )
    return runs


def execute(pipeline: Pipeline, window: Window, then: str = "score") -> None:
    task = late_scoring.ScoreLate(task_id="score_late", pipeline=pipeline.name)
    given = context(pipeline, window, "operator_triggered")
    given["params"] |= {"then": then}
    late_scoring.ScoreLate.execute.__wrapped__(task, given)


def scored(window: Window, *, version: int = 1, mode: str = "live") -> None:
    record = Scored(window, version, "champion", mode, 3, 3, 1).to_json()
    key = f"{window} {version} {mode}"
    state.save_record(settings.load_settings(), "toy", "score", input_key=key, window=window, record=record)


def test_a_late_window_is_scored_once_its_data_run_is_through(pipeline: Pipeline, started: list[Any]) -> None:
    scored(LONG_AGO, version=0)
    scored(LONG_AGO, mode="backtest")
    execute(pipeline, LONG_AGO)
    ((run_id, conf),) = started
    assert run_id.startswith("late__")
    assert conf == LONG_AGO.to_json()


def test_what_was_scored_is_not_scored_again_when_a_file_of_it_is_corrected(
    pipeline: Pipeline, started: list[Any]
) -> None:
    scored(LONG_AGO)
    with pytest.raises(AirflowSkipException, match="version 1 has scored it"):
        execute(pipeline, LONG_AGO)
    assert started == []


def test_the_calendar_scores_what_is_not_too_late(pipeline: Pipeline, started: list[Any]) -> None:
    with pytest.raises(AirflowSkipException, match="is still waiting for this run"):
        execute(pipeline, LAST)
    assert started == []


def test_a_replay_and_a_person_ask_for_no_scoring(pipeline: Pipeline, started: list[Any]) -> None:
    with pytest.raises(AirflowSkipException, match="nobody asked"):
        execute(pipeline, LONG_AGO, then="")
    assert started == []


def test_before_the_first_champion_nothing_is_owed(pipeline: Pipeline, started: list[Any]) -> None:
    from tests.support import toy

    with pytest.raises(AirflowSkipException, match="no champion was in force at 2020-01-05"):
        execute(pipeline, Window(toy.days(4, 5).start, toy.days(4, 5).start + (LAST.end - LAST.start)))
    assert started == []


def test_the_inbox_asks_only_where_files_may_be_late(pipeline: Pipeline) -> None:
    assert late_scoring.conf(pipeline) == {"then": "score"}
    assert set(late_scoring.params(pipeline)) == {"then"}
    prompt = pipeline.model_copy(update={"feeds": {}})
    assert (late_scoring.conf(prompt), late_scoring.params(prompt)) == ({}, {})
