"""An hourly pipeline on a real scheduler: three days of daily looks ask for nothing, and a planted change retrains."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.support import toy_hours

from airloop.config import calendar_windows, load_pipeline
from airloop.data import inbox
from airloop.records import Window
from airloop.serving.score import predictions_uri
from airloop.stores import lake, ledger
from airloop.stores.mlflow import tracking
from airloop_platform.replay import Period, replay, span

pytestmark = pytest.mark.e2e

LEARNED = toy_hours.days(0, toy_hours.CHANGED_FROM)
THREE_DAYS, UNTIL_RETRAINED = toy_hours.days(38, 41), toy_hours.days(44, 45)


class Hours:
    """One hourly pipeline: weeks to learn from, weeks scored at once, then the hours of a day at a time."""

    def __init__(self, platform: Any, name: str, looked: Window) -> None:
        self.settings, self.client, self.platform = platform.settings, platform.client, platform.platform
        self.pipeline = load_pipeline(name, self.settings)
        self.hours = calendar_windows("hourly", looked)
        at_once = Window(LEARNED.end, looked.start)
        self.windows = (LEARNED, at_once, *span.by_look(self.pipeline, self.hours, self.settings))
        self.hidden: list[int] = []
        self.periods: tuple[Period, ...] = ()

    def replay(self) -> None:
        self.periods = replay(self.pipeline, self.settings, self.platform, self.windows, report=self.looks_in)

    def looks_in(self, line: str) -> None:
        if line.endswith("outcomes land"):
            hour = self.windows[len(self.hidden)]
            self.hidden.append(self.rows("failures", "ended_at", hour))

    def rows(self, feed: str, column: str, window: Window) -> int:
        uri = lake.table_uri(self.settings, self.pipeline.name, "clean", feed)
        table = lake.open_table(uri, self.settings)
        return lake.read(uri, self.settings, where=lake.between(column, window)).num_rows if table else 0

    def trainings(self) -> int:
        return len(self.client.recent(f"{self.pipeline.name}__training"))


@pytest.fixture(scope="module")
def worlds(platform: Any) -> dict[str, Hours]:
    """Both worlds, taken side by side: as in life, many pipelines share one scheduler."""
    taken = [Hours(platform, toy_hours.STAYS, THREE_DAYS), Hours(platform, toy_hours.CHANGES, UNTIL_RETRAINED)]
    for world in taken:
        platform.client.pause(f"{world.pipeline.name}__inbox", paused=True)
        # The inbox takes what lies beyond the replay when it is let go.
        toy_hours.land(platform.settings, world.pipeline.name, world.windows[-1].end)
    with ThreadPoolExecutor(len(taken)) as side_by_side:
        list(side_by_side.map(Hours.replay, taken))
    return {world.pipeline.name: world for world in taken}


def test_three_days_of_a_world_that_stays_ask_for_no_training(worlds: dict[str, Hours]) -> None:
    stays = worlds[toy_hours.STAYS]
    kinds = [period.action and period.action.kind for period in stays.periods]
    assert kinds == [None, "not_enough_data", *["nothing"] * 3]
    assert [period.monitored.origin for period in stays.periods[1:]] == ["live"] * 4
    assert all(period.monitored.probe for period in stays.periods[2:])
    assert len({refit for period in stays.periods[2:] for refit in period.monitored.refits}) > 1
    assert stays.trainings() == 1
    assert ledger.champion_at(stays.settings, stays.pipeline.name, THREE_DAYS.end) == 1


def test_a_planted_change_is_retrained_once_there_are_days_enough_and_the_model_goes_into_force(
    worlds: dict[str, Hours],
) -> None:
    changes = worlds[toy_hours.CHANGES]
    kinds = [period.action and period.action.kind for period in changes.periods]
    assert kinds.count("retrain") == 1
    decision = changes.periods[kinds.index("retrain")].decision
    assert (decision.reason, decision.outcome) == ("probe", "passed")
    assert ledger.champion_at(changes.settings, changes.pipeline.name, UNTIL_RETRAINED.end) == decision.version
    assert changes.trainings() == 2
    asked = changes.periods[kinds.index("retrain")].action
    assert decision.reason_key == asked.reason_key
    client = tracking.client(changes.settings)
    run = client.get_run(client.get_model_version(changes.pipeline.name, str(decision.version)).run_id)
    assert run.data.tags["airloop.reason"] == "probe"
    evidence = json.loads(run.data.tags["airloop.trigger_evidence"])
    assert evidence[0]["gain"] == pytest.approx(asked.evidence[0].gain)


def test_every_hour_is_scored_once_while_its_outcomes_are_hidden(worlds: dict[str, Hours]) -> None:
    for world in worlds.values():
        assert world.hidden == [0] * len(world.windows)
        assert world.rows("failures", "ended_at", world.windows[-1]) == 24 * toy_hours.JOBS_AN_HOUR
        predicted = lake.read(predictions_uri(world.pipeline, world.settings), world.settings)
        jobs = set(zip(predicted["job"].to_pylist(), predicted["decision_time"].to_pylist(), strict=True))
        scored = Window(LEARNED.end, world.windows[-1].end)
        hours = {at.replace(minute=0) for _, at in jobs}
        assert hours == {hour.start for hour in calendar_windows("hourly", scored)}
        assert len(jobs) == predicted.num_rows == len(hours) * toy_hours.JOBS_AN_HOUR


def test_no_hour_waits_for_the_inbox_afterwards(worlds: dict[str, Hours]) -> None:
    world = worlds[toy_hours.STAYS]
    assert inbox.waiting_windows(world.pipeline, world.settings) == ()
