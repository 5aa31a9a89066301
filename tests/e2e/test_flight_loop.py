"""Three months of real flights through a running Airflow: the loop scores before outcomes land, and closes."""

import pytest
from tests.support.waiting import until

from airloop.config import load_pipeline
from airloop.records import Window
from airloop.stores import lake, ledger, state
from airloop.stores.mlflow import tracking
from airloop.stores.mlflow.registry import aliases
from airloop_platform.demo import run_demo
from airloop_platform.replay import answers_compared
from airloop_platform.supervisor import status

pytestmark = pytest.mark.e2e

NAME = "flight_delays"
MARCH = Window.parse("2013-03-01T00:00:00Z", "2013-04-01T00:00:00Z")


def rows(settings, layer: str, table: str, column: str, window: Window) -> int:
    uri = lake.table_uri(settings, NAME, layer, table)
    return lake.read(uri, settings, where=lake.between(column, window), columns=[column]).num_rows


@pytest.fixture(scope="module")
def loop(platform):
    """The demo over January to March, with a look at the lake when March's outcomes are about to land."""
    settings, pipeline = platform.settings, load_pipeline(NAME, platform.settings)
    seen: dict[str, int] = {}

    def report(line: str) -> None:
        if line == "March: outcomes land":
            seen["predictions"] = rows(settings, "predictions", "predictions", "decision_time", MARCH)
            seen["outcomes"] = rows(settings, "clean", "arrivals", "arrived_at", MARCH)

    periods = run_demo(pipeline, settings, platform.platform, months=3, report=report)
    return platform, pipeline, periods, seen


def test_a_window_is_scored_while_its_outcomes_have_not_landed(loop):
    _, _, periods, seen = loop
    assert seen["outcomes"] == 0
    assert seen["predictions"] == periods[2].scored.rows > 25_000
    assert rows(loop[0].settings, "clean", "arrivals", "arrived_at", MARCH) > 25_000


def test_what_was_asked_over_the_api_before_is_what_the_batch_says(loop):
    platform, pipeline, periods, _ = loop
    asked = periods[2].asked
    assert (asked.version, asked.requests, asked.errors) == (periods[2].scored.version, 2000, 0)
    assert [period.asked for period in periods[:2]] == [None, None]
    assert answers_compared.largest_difference(pipeline, asked, platform.settings) <= 1e-12


def test_the_first_champion_is_promoted_by_a_decision_of_the_ledger(loop):
    platform, _, periods, _ = loop
    assert periods[1].decision.passed
    kinds = [entry.kind for entry in ledger.entries(platform.settings, NAME) if entry.kind != "alarm"][:6]
    assert kinds == ["trained", "decision", "refitted", "approved", "intended", "done"]
    refitted = periods[1].refitted
    assert (periods[1].decision.version, refitted.outcome, refitted.version) == (1, "refitted", 2)
    assert ledger.champion_at(platform.settings, NAME, MARCH.start) == refitted.version
    assert ledger.verify(platform.settings, NAME) == []


def test_the_first_model_is_approved_over_rest_by_another_user_than_who_had_it_trained(loop):
    platform, _, periods, _ = loop
    history = ledger.require_intact(platform.settings, NAME)
    decision = history.decision(periods[1].decision.sequence)
    answer = history.answer_to(decision.sequence)
    assert (decision.payload["asked_by"], answer.kind, answer.payload["who"]) == ("admin", "approved", "approver")
    assert [period.answer for period in periods] == ["", "approved by approver", ""]


def test_the_monitor_judges_labelled_rows_and_its_verdict_is_in_the_ledger(loop):
    platform, _, periods, _ = loop
    monitored, action = periods[2].monitored, periods[2].action
    assert monitored.labelled_rows > 20_000
    assert 0.6 < monitored.live["roc_auc"] < 0.85
    assert [item.metric for item in monitored.probe] == ["brier", "roc_auc"]
    entry = ledger.entries(platform.settings, NAME, kind="triage")[-1]
    assert entry.payload["kind"] == action.kind


def test_a_person_may_insist_where_nothing_is_gained_and_the_gate_refuses(loop):
    platform, _, periods, _ = loop
    assert periods[2].action.kind == "nothing"
    decision = periods[2].decision
    assert (decision.reason, decision.outcome) == ("hand", "refused")
    assert periods[2].refitted is None
    client = tracking.client(platform.settings)
    run = client.get_run(client.get_model_version(NAME, str(decision.version)).run_id)
    assert run.data.tags["airloop.reason"] == "hand"
    assert aliases(platform.settings, NAME)["champion"] == periods[1].refitted.version


def test_running_the_demo_again_changes_nothing(loop):
    platform, pipeline, periods, _ = loop

    def figures() -> tuple[int, ...]:
        versions = tracking.client(platform.settings).search_model_versions(f"name = '{NAME}'")
        runs = state.latest_records(platform.settings, NAME, "decide")
        whole = Window(pipeline.coverage.start, pipeline.coverage.end)
        predictions = rows(platform.settings, "predictions", "predictions", "decision_time", whole)
        return ledger.head(platform.settings, NAME), len(versions), len(runs), predictions

    before = figures()
    again = run_demo(pipeline, platform.settings, platform.platform, months=3, report=lambda _line: None)
    assert again == periods
    assert figures() == before


def test_every_service_is_healthy_and_nothing_ran_by_the_calendar(loop):
    platform = loop[0]
    assert until(lambda: all(service.healthy for service in status(platform.settings)), seconds=60, every=1)
    for group in ("data", "scoring", "monitoring"):
        runs = platform.client.recent(f"{NAME}__{group}")
        assert [run.run_id for run in runs if run.run_id.startswith("scheduled")] == []
