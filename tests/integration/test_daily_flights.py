"""Real flights by the day: looks at two weeks ask for nothing while the world stays, and retrain when it turns.

Through a real Airflow, over three months and beside a world that stays: `python -m benchmarks.daily_flights`.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.support import flight_days

from airloop.config import Pipeline, load_pipeline
from airloop.deployment import Deployment
from airloop.records import Action, Decision, Record, Window
from airloop.run import stage_run
from airloop.settings import Settings
from airloop_platform.replay.span import upstream

pytestmark = pytest.mark.integration

REPOSITORY = Path(__file__).resolve().parents[2]
START, FIRST, END = datetime(2013, 1, 1, tzinfo=UTC), flight_days.LEARNED_UNTIL, datetime(2013, 3, 11, tzinfo=UTC)
CHANGED = datetime.combine(flight_days.CHANGED_FROM, datetime.min.time(), UTC)
WEEK = timedelta(days=7)


class Days:
    """The world that turns, landed at once: trained on the days to FIRST, scored to the end, a look a week."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.pipeline = settings, load_pipeline(flight_days.TURNED, settings)
        landing = f"{settings.landing_uri}/{self.pipeline.name}"
        upstream(self.pipeline).land(landing, until=END + timedelta(days=2))
        for stage in ("ingest", "validate_raw", "build_features", "validate_features"):
            self.run(stage, Window(START, END))
        self.first = self.trained(FIRST, reason="hand", reason_key="first")
        self.run("score", Window(FIRST, END))
        self.looks = self.looked()

    def run(self, stage: str, window: Window, **options: object) -> Record:
        at: Deployment[Pipeline] = Deployment(self.pipeline, self.settings)
        stored = stage_run.stored_upstream(stage, at, window)
        return stage_run.run_stage(stage, at, window, upstream=stored, **options)

    def trained(self, cutoff: datetime, **asked: object) -> Decision:
        window = Window(START, cutoff)
        self.run("snapshot", window, **asked)
        self.run("tune", window, candidate="logistic_regression")
        for stage in ("train", "evaluate"):
            self.run(stage, window)
        decision = self.run("decide", window)
        assert isinstance(decision, Decision)
        for stage in ("describe", "refit", "promote") if decision.passed else ():
            self.run(stage, window)
        return decision

    def looked(self) -> dict[datetime, Action]:
        """Each week's look by its end, until one asks for a training."""
        actions: dict[datetime, Action] = {}
        end = FIRST + WEEK
        while end <= END and not any(action.kind == "retrain" for action in actions.values()):
            look = Window(end - WEEK, end)
            self.run("monitor", look)
            action = self.run("triage", look)
            assert isinstance(action, Action)
            actions[end] = action
            flight_days.answer_the_blizzard(self.pipeline, self.settings)
            end += WEEK
        return actions


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Days:
    root = tmp_path_factory.mktemp("days") / "project"
    return Days(flight_days.write_project(root, REPOSITORY, **flight_days.ONE_CANDIDATE))


def test_looks_at_days_of_the_world_that_was_learned_ask_for_no_training(days: Days) -> None:
    assert days.first.passed, days.first.why
    first, second = (action for end, action in days.looks.items() if end <= CHANGED)
    assert (first.kind, "labels_missing" in first.why) == ("held", True), first.why
    assert second.kind in ("nothing", "not_enough_data"), second.why


def test_carriers_that_change_places_are_a_reason_to_train_once_there_are_days_enough_of_it(days: Days) -> None:
    *before, (end, asked) = days.looks.items()
    assert "retrain" not in [action.kind for _, action in before]
    assert (asked.kind, end > CHANGED) == ("retrain", True), asked.why
