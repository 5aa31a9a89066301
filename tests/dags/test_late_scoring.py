"""A window whose files came too late for the calendar is scored by itself, once; nothing else is."""

from pathlib import Path
from typing import Any

import pytest
from due_runs import HOUR, LAST, LONG_AGO
from due_runs import context as due_context
from tests.support import hourly, pages_stand, toy

from airloop import settings
from airloop.config import Pipeline
from airloop.records import Scored, Window
from airloop.stores import state
from airloop_airflow import late_scoring


@pytest.fixture
def pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """An hourly toy of the present, with version 1 in force since 2020, whose files may be six hours late."""
    here = toy.write_project(tmp_path / "project", settings.load_settings().project_dir)
    monkeypatch.setenv("AIRLOOP_PROJECT_DIR", str(here.project_dir))
    monkeypatch.setenv("AIRLOOP_HOME", str(here.home))
    at = toy.days(0, 40).end
    pages_stand.promote(here, 1, pages_stand.decide(here, 1, at=at), at=at)
    return hourly.declare(here, files="{day}T{hour}.csv", coverage="2020-01-01", lateness_hours=6)


def owed(pipeline: Pipeline, window: Window, then: str = "score", **params: str) -> list[Any]:
    return late_scoring.owed(pipeline, due_context(pipeline, window, "operator_triggered", then=then, **params))


def scored(window: Window, *, version: int = 1, mode: str = "live") -> None:
    record = Scored(window, version, "champion", mode, 3, 3, 1).to_json()
    key = f"{window} {version} {mode}"
    state.save_record(settings.load_settings(), "toy", "score", input_key=key, window=window, record=record)


def test_a_late_window_is_scored_once_its_data_run_is_through(pipeline: Pipeline) -> None:
    scored(LONG_AGO, version=0)
    scored(LONG_AGO, mode="backtest")
    (run,) = owed(pipeline, LONG_AGO)
    assert run["trigger_run_id"].startswith("late__")
    assert run["conf"] == LONG_AGO.to_json()


def test_of_joined_windows_those_are_scored_that_were_not(pipeline: Pipeline) -> None:
    six = Window(LONG_AGO.start, LONG_AGO.start + 6 * HOUR)
    third = Window(six.start + 2 * HOUR, six.start + 3 * HOUR)
    scored(third)
    runs = [run["conf"] for run in owed(pipeline, six, checks="each")]
    assert runs == [Window(six.start, third.start).to_json(), Window(third.end, six.end).to_json()]
    change = six.start + 4 * HOUR
    here = settings.load_settings()
    pages_stand.promote(here, 2, pages_stand.decide(here, 2, at=change), at=change)
    ends = [run["conf"]["end"] for run in owed(pipeline, six, checks="each")]
    assert ends == [item.to_json()["end"] for item in (Window(six.start, third.start), Window(third.end, change), six)]


def test_what_was_scored_is_not_scored_again_when_a_file_of_it_is_corrected(
    pipeline: Pipeline, caplog: pytest.LogCaptureFixture
) -> None:
    scored(LONG_AGO)
    assert owed(pipeline, LONG_AGO) == []
    assert "version 1 has scored it" in caplog.text


def test_the_calendar_scores_what_is_not_too_late(pipeline: Pipeline, caplog: pytest.LogCaptureFixture) -> None:
    assert owed(pipeline, LAST) == []
    assert "is still waiting for this run" in caplog.text
    runs = owed(pipeline, Window(LONG_AGO.start, LAST.end), checks="each")
    assert [run["conf"]["start"] for run in runs] == [LONG_AGO.to_json()["start"]]
    assert Window.from_json(runs[0]["conf"]).end < LAST.start


def test_a_replay_and_a_person_ask_for_no_scoring(pipeline: Pipeline, caplog: pytest.LogCaptureFixture) -> None:
    assert owed(pipeline, LONG_AGO, then="") == []
    assert "nobody asked" in caplog.text


def test_before_the_first_champion_nothing_is_owed(pipeline: Pipeline, caplog: pytest.LogCaptureFixture) -> None:
    window = Window(toy.days(4, 5).start, toy.days(4, 5).start + HOUR)
    assert owed(pipeline, window) == []
    assert "no champion was in force at 2020-01-05" in caplog.text


def test_the_inbox_asks_only_where_files_may_be_late(pipeline: Pipeline) -> None:
    assert late_scoring.conf(pipeline) == {"then": "score"}
    assert set(late_scoring.params(pipeline)) == {"then"}
    prompt = pipeline.model_copy(update={"feeds": {}})
    assert (late_scoring.conf(prompt), late_scoring.params(prompt)) == ({}, {})
