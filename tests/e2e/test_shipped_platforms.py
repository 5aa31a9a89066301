"""A shipped pipeline through every DAG of a running Airflow: known answers in every store it writes to.

Three months as the demo takes them, a fourth as it comes to a platform left alone: files land, the inbox hears them, a
backfill scores and monitors what its calendar says. The flights have a module of their own, and what the digits alone
have, classes and features that are lists, tests/integration/test_shipped_pipelines.py shows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.support import shipped_truth
from tests.support.waiting import until

from airloop.config import Pipeline, calendar_windows, load_pipeline
from airloop.config.attribute import resolve
from airloop.features import examples
from airloop.records import Action, Decision, Ingested, Monitored, Scored, Window
from airloop.run.stages import STAGES
from airloop.serving.score import predictions_uri
from airloop.stores import lake, ledger, state
from airloop.stores.mlflow import tracking
from airloop.stores.mlflow.registry import aliases
from airloop_platform.demo import run_demo
from airloop_platform.replay import Period

pytestmark = pytest.mark.e2e

GROUPS = ("inbox", "data", "scoring", "monitoring", "training", "promotion")
NAME, OTHERS = "airport_temperature", ("digit_images", "toy")


@dataclass(frozen=True)
class Loop:
    """A pipeline after three months of the demo.

    Attributes:
        known: Outcomes of the third month in the lake when its predictions had just been made.
    """

    platform: Any
    pipeline: Pipeline
    windows: tuple[Window, ...]
    periods: tuple[Period, ...]
    known: int

    def newest(self, kind: Any, stage: str, window: Window) -> Any:
        return kind.from_json(
            state.latest_records(self.platform.settings, self.pipeline.name, stage, window=window)[-1]
        )

    def run(self, group: str, conf: Mapping[str, object]) -> None:
        client = self.platform.client
        client.wait(client.start(f"{self.pipeline.name}__{group}", conf), seconds=900, on_tasks=lambda _tasks: None)

    def backfill(self, group: str, window: Window) -> None:
        """What the calendar has for the period that starts with the window, as Airflow's page for backfills asks it."""
        day = f"{window.start:%Y-%m-%dT00:00:00Z}"
        dag_id, client = f"{self.pipeline.name}__{group}", self.platform.client
        answer = client._call("POST", "backfills", json={"dag_id": dag_id, "from_date": day, "to_date": day})
        assert answer.is_success, answer.text
        run = next(run for run in client.recent(dag_id) if run.run_id.startswith("backfill"))
        client.wait(run, seconds=900, on_tasks=lambda _tasks: None)


@pytest.fixture(scope="module")
def loop(platform: Any) -> Loop:
    settings = platform.settings
    pipeline = load_pipeline(NAME, settings)
    covered = Window(pipeline.coverage.start, pipeline.coverage.end or pipeline.coverage.start)
    windows = calendar_windows(pipeline.calendar, covered)[:4]
    known: list[int] = []

    def report(line: str) -> None:
        if line == f"{windows[2].start:%B}: outcomes land":
            known.append(sum(rows(pipeline, settings, feed, windows[2]) for feed in pipeline.outcome_feeds))

    periods = run_demo(pipeline, settings, platform.platform, months=3, report=report)
    return Loop(platform, pipeline, windows, periods, known[0])


def rows(pipeline: Pipeline, settings: Any, feed: str, window: Window) -> int:
    column = pipeline.feeds[feed].event_time or ""
    uri = lake.table_uri(settings, pipeline.name, "clean", feed)
    return lake.read(uri, settings, where=lake.between(column, window), columns=[column]).num_rows


@pytest.mark.parametrize("name", [NAME, *OTHERS])
@pytest.mark.parametrize("group", ["data", "scoring", "monitoring"])
def test_a_calendar_has_the_windows_of_its_pipeline_and_none_for_today(platform: Any, name: str, group: str) -> None:
    pipeline = load_pipeline(name, platform.settings)
    assert pipeline.calendar == ("daily" if name == "toy" else "monthly")
    covered = Window(pipeline.coverage.start, pipeline.coverage.end or pipeline.coverage.start)
    starts = [f"{window.start:%Y-%m-%dT00:00:00}" for window in calendar_windows(pipeline.calendar, covered)]
    dag_id, client = f"{name}__{group}", platform.client
    # Before the loop below: what a backfill has run once is no longer on offer.
    asked = {"dag_id": dag_id, "from_date": f"{starts[0]}Z", "to_date": f"{starts[-1]}Z"}
    runs = client._call("POST", "backfills/dry_run", json=asked).json()["backfills"]
    assert [run["partition_key"] for run in runs] == starts
    dag = client._call("GET", f"dags/{dag_id}").json()
    assert (dag["timetable_partitioned"], dag["next_dagrun_run_after"]) == (True, None)
    assert not [run for run in client.recent(dag_id) if run.run_id.startswith("scheduled")]


def test_a_month_is_scored_whole_before_its_outcomes_land(loop: Loop) -> None:
    wanted = examples.examples(loop.pipeline, loop.windows[2], loop.platform.settings).num_rows
    assert loop.known == 0
    assert loop.periods[2].scored.rows == wanted > 400


def test_the_first_model_passes_its_floors_and_the_ledger_and_mlflow_agree_who_is_champion(loop: Loop) -> None:
    settings, name, first = loop.platform.settings, loop.pipeline.name, loop.periods[1].decision
    assert (first.outcome, first.champion_version, first.version) == ("passed", None, 1)
    assert {check.rule for check in first.checks} >= {f"floor {floor.metric}" for floor in loop.pipeline.gate.floors}
    kinds = [entry.kind for entry in ledger.entries(settings, name)]
    assert kinds[:4] == ["trained", "decision", "intended", "done"]
    assert ledger.champion_at(settings, name, loop.windows[2].start) == 1
    assert ledger.verify(settings, name) == []


def test_the_monitor_measures_what_the_source_says_and_it_is_better_than_what_needs_no_model(loop: Loop) -> None:
    monitored = loop.periods[2].monitored
    stored = lake.read(
        predictions_uri(loop.pipeline, loop.platform.settings),
        loop.platform.settings,
        where=lake.between("decision_time", monitored.rows_window),
    ).to_pandas()
    judged = stored.assign(truth=stored[loop.pipeline.prediction.entity_key].map(shipped_truth.outcomes(NAME))).dropna(
        subset=["truth"]
    )
    value = (judged["prediction"] - judged["truth"]).abs().mean()
    assert 1.0 < value < 4.5
    assert monitored.labelled_rows == len(judged) > 400
    assert monitored.live["mae"] == pytest.approx(value)
    known = examples.feature_frame(loop.pipeline, loop.windows[2], loop.platform.settings).dropna(subset=["label"])
    assert value < 0.9 * (known["temp_last"] - known["label"]).abs().mean()


def test_the_second_model_is_judged_against_the_champion_on_the_same_rows(loop: Loop) -> None:
    decision, action = loop.periods[2].decision, loop.periods[2].action
    assert action.kind in ("retrain", "nothing")
    assert decision.reason == {"retrain": "probe", "nothing": "hand"}[action.kind]
    assert (decision.version, decision.champion_version) == (2, 1)
    assert loop.pipeline.gate.compare.metric in {evidence.metric for evidence in decision.evidence}
    champion = aliases(loop.platform.settings, loop.pipeline.name)["champion"]
    assert champion == (2 if decision.passed else 1)
    last = ledger.entries(loop.platform.settings, loop.pipeline.name, kind="triage")[-1]
    assert last.payload["kind"] == action.kind


def test_a_model_that_gains_nothing_is_refused(loop: Loop) -> None:
    settings, name, window = loop.platform.settings, loop.pipeline.name, loop.windows[2]
    before = aliases(settings, name)["champion"]
    loop.run("training", {"cutoff": f"{window.end:%Y-%m-%dT%H:%M:%SZ}", "reason": "hand", "reason_key": "again"})
    decision = loop.newest(Decision, "decide", Window(loop.pipeline.coverage.start, window.end))
    assert (decision.version, decision.outcome) == (3, "refused")
    assert "gain" in decision.why
    assert aliases(settings, name)["champion"] == before
    versions = tracking.client(settings).search_model_versions(f"name = '{name}'")
    assert len(versions) == 3


def test_files_that_land_are_taken_in_by_the_inbox(loop: Loop) -> None:
    settings, name, window = loop.platform.settings, loop.pipeline.name, loop.windows[3]
    upstream: Any = resolve(str(loop.pipeline.replay))()
    upstream.land(f"{settings.landing_uri}/{name}", until=window.end + timedelta(days=2))

    def arrived() -> bool:
        return bool(state.latest_records(settings, name, "materialize", window=window))

    assert until(arrived, seconds=900, every=1)
    ingested = loop.newest(Ingested, "ingest", window)
    assert {run.run_id.split("__")[0] for run in loop.platform.client.recent(f"{name}__data")} == {"inbox"}
    landed = {
        feed: len({file.uri for file in ingested.files if f"/{feed}/" in file.uri}) for feed in loop.pipeline.feeds
    }
    assert set(landed.values()) <= {30, 31}  # a local day of New York lies in two months


def test_what_is_online_is_what_the_source_says(loop: Loop) -> None:
    online, source = shipped_truth.online(loop.pipeline, loop.platform.settings, datetime(2013, 4, 30, tzinfo=UTC))
    assert online == source


def test_a_backfill_takes_the_months_of_the_calendar_and_triggers_nothing(loop: Loop) -> None:
    settings, name, window = loop.platform.settings, loop.pipeline.name, loop.windows[3]
    trainings = len(loop.platform.client.recent(f"{name}__training"))
    loop.backfill("scoring", window)
    scored = loop.newest(Scored, "score", window)
    assert scored.version == aliases(settings, name)["champion"]
    assert scored.appended == examples.examples(loop.pipeline, window, settings).num_rows > 400
    loop.backfill("monitoring", window)
    monitored = loop.newest(Monitored, "monitor", window)
    assert (monitored.origin, monitored.version) == ("backfill", scored.version)
    assert monitored.labelled_rows > 0.9 * scored.rows
    assert "backfill" in loop.newest(Action, "triage", window).why
    assert len(loop.platform.client.recent(f"{name}__training")) == trainings


def test_every_stage_left_its_record_and_every_dag_ran(loop: Loop) -> None:
    settings, name, client = loop.platform.settings, loop.pipeline.name, loop.platform.client
    # No feed comes from SQL or may be late, no refit is declared, and nobody went back.
    idle = ["extract", "arrive", "refit", "describe_refit", "roll_back", "take_back"]
    assert [stage for stage in STAGES if not state.latest_records(settings, name, stage)] == idle
    for group in GROUPS:
        assert {run.state for run in client.recent(f"{name}__{group}")} == {"success"}
    assert ledger.verify(settings, name) == []
