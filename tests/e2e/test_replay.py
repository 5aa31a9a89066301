"""The past that has landed goes through a real scheduler in data time: outcomes hidden until scored, and it closes."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.support import toy, toy_past

from airloop.config import load_pipeline
from airloop.records import Window
from airloop.serving.score import predictions_uri
from airloop.stores import lake, ledger, state
from airloop.stores.mlflow import tracking
from airloop_platform.replay import Period, replay, span

pytestmark = pytest.mark.e2e

GROUPS = ("data", "scoring", "monitoring", "training", "promotion")
MARCH = Window.parse("2020-03-01T00:00:00Z", "2020-04-01T00:00:00Z")


class KilledError(BaseException):
    """Stands for what ends a process between two of its steps."""


class Past:
    """The pipeline `past` on the platform, after a replay that was killed while March was monitored and went on."""

    def __init__(self, platform: Any, scratch: Any) -> None:
        self.settings, self.platform = platform.settings, platform
        toy_past.land(self.settings, scratch)
        self.pipeline = load_pipeline(toy_past.NAME, self.settings)
        self.windows = span.windows_between(self.pipeline, "", "", span.reach(self.pipeline, self.settings))
        self.lines: list[str] = []
        self.hidden: list[int] = []
        with pytest.raises(KilledError):
            self.replay(self.dies)
        self.let_go_when_killed = not platform.client.is_paused(f"{toy_past.NAME}__inbox")
        self.periods = self.replay(self.lines.append)

    def replay(self, report: Callable[[str], None]) -> tuple[Period, ...]:
        return replay(self.pipeline, self.settings, self.platform.platform, self.windows, report=report)

    def dies(self, line: str) -> None:
        self.lines.append(line)
        if line == "March: scoring, no outcome has landed":
            self.hidden += [self.rows("clean/failures", "ended_at"), self.rows("clean/jobs", "planned_at")]
        if line == "March: monitoring":
            raise KilledError

    def rows(self, table: str, column: str, window: Window = MARCH) -> int:
        uri = lake.table_uri(self.settings, toy_past.NAME, *table.split("/"))
        return lake.read(uri, self.settings, where=lake.between(column, window)).num_rows

    def figures(self) -> tuple[int, ...]:
        versions = tracking.client(self.settings).search_model_versions(f"name = '{toy_past.NAME}'")
        runs = [len(self.platform.client.recent(f"{toy_past.NAME}__{group}")) for group in GROUPS]
        predictions = lake.read(predictions_uri(self.pipeline, self.settings), self.settings).num_rows
        return ledger.head(self.settings, toy_past.NAME), len(versions), predictions, *runs


@pytest.fixture(scope="module")
def past(platform: Any, tmp_path_factory: pytest.TempPathFactory) -> Past:
    return Past(platform, tmp_path_factory.mktemp("past"))


def test_the_first_model_is_trained_as_soon_as_rows_and_holdout_are_there(past: Past) -> None:
    assert [f"{window.start:%B}" for window in past.windows] == ["January", "February", "March", "April"]
    first = past.periods[0]
    assert (first.scored, first.decision.version, first.decision.outcome) == (None, 1, "passed")
    assert "January: first training" in past.lines
    assert ledger.champion_at(past.settings, toy_past.NAME, past.windows[1].start) == 1


def test_a_window_is_scored_while_its_outcomes_are_hidden_though_they_have_landed(past: Past) -> None:
    outcomes, jobs = past.hidden
    assert (outcomes, jobs) == (0, 31 * toy.ROWS_A_DAY)
    assert past.rows("clean/failures", "ended_at") == past.periods[2].scored.rows == 31 * toy.ROWS_A_DAY


def test_a_planted_change_is_held_once_and_then_retrained_and_a_month_like_the_last_is_not(past: Past) -> None:
    kinds = [period.action and period.action.kind for period in past.periods]
    assert kinds == [None, "nothing", "held", "retrain"]
    assert [period.monitored and period.monitored.origin for period in past.periods] == [None, "live", "live", "live"]
    decision = past.periods[3].decision
    assert (decision.reason, decision.outcome) == ("probe", "passed")
    assert ledger.champion_at(past.settings, toy_past.NAME, past.windows[3].end) == decision.version


def test_a_replay_that_was_killed_and_went_on_has_done_nothing_twice(past: Past) -> None:
    assert past.lines.count("January: first training") == 1
    predicted = lake.read(predictions_uri(past.pipeline, past.settings), past.settings)
    assert predicted.num_rows == (29 + 31 + 30) * toy.ROWS_A_DAY
    assert len(set(zip(predicted["job"].to_pylist(), predicted["decision_time"].to_pylist(), strict=True))) == (
        predicted.num_rows
    )
    assert ledger.verify(past.settings, toy_past.NAME) == []
    triaged = state.latest_records(past.settings, toy_past.NAME, "triage")
    assert len(triaged) == len({str(row["cutoff"]) for row in triaged}) == 3


def test_the_inbox_is_let_go_only_when_no_window_is_left_that_it_would_not_score(past: Past) -> None:
    assert not past.let_go_when_killed
    assert not past.platform.client.is_paused(f"{toy_past.NAME}__inbox")


def test_windows_that_were_taken_cost_no_run_again(past: Past) -> None:
    before, lines = past.figures(), list[str]()
    assert past.replay(lines.append) == past.periods
    assert lines == []
    assert past.figures() == before
