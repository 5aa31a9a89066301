"""What every DAG shares, and what an error means to Airflow."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.sdk import RetryAction
from airflow.sdk.exceptions import AirflowFailException

from airloop.config import Pipeline, load_pipeline
from airloop.deployment import Deployment
from airloop.errors import ConfigError, DataContractError, GuardRefused, UpstreamUnavailable
from airloop.records import TunedCandidate, Window
from airloop.run import stage_run
from airloop.run.run_ids import as_run_id
from airloop.settings import load_settings
from airloop_airflow import outcomes, pipelines, stage

JANUARY = Window.parse("2013-01-01T00:00:00Z", "2013-02-01T00:00:00Z")


@pytest.fixture
def pipeline() -> Pipeline:
    return load_pipeline("flight_delays", load_settings())


def test_the_calendar_skips_periods_that_begin_before_the_coverage(pipeline: Pipeline) -> None:
    late = pipeline.coverage.model_copy(update={"start": datetime(2013, 1, 10, tzinfo=UTC), "end": None})
    found = pipelines.calendar(pipeline.model_copy(update={"coverage": late}), "data")
    assert (found.first, found.last) == (datetime(2013, 3, 1, tzinfo=UTC), None)


def test_monitoring_has_a_calendar_of_its_own(pipeline: Pipeline) -> None:
    hourly = pipeline.model_copy(update={"calendar": "hourly"})
    schedules = {group: pipelines.calendar(hourly, group) for group in ("data", "scoring", "monitoring")}
    crons = {group: found.serialize()["cron"] for group, found in schedules.items() if found}
    assert crons == {"data": "0 * * * *", "scoring": "0 * * * *", "monitoring": "0 0 * * *"}
    assert schedules["monitoring"].first == datetime(2013, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize("error", [DataContractError, ConfigError, GuardRefused])
def test_a_permanent_error_fails_at_the_first_try(error: type[Exception]) -> None:
    decision = outcomes.Outcomes(2).evaluate(error("refused because"), try_number=1, max_tries=2)
    assert (decision.action, decision.reason) == (RetryAction.FAIL, "refused because")


def test_an_unavailable_store_is_retried_ever_more_slowly() -> None:
    tries = [outcomes.Outcomes(8).evaluate(UpstreamUnavailable("down"), number, 8) for number in range(1, 9)]
    assert {decision.action for decision in tries} == {RetryAction.RETRY}
    assert [int(decision.retry_delay.total_seconds()) for decision in tries if decision.retry_delay] == [
        *(5, 10, 20, 40, 80, 160, 320, 640)
    ]


def test_an_unexpected_error_is_tried_three_times_however_many_retries_there_are() -> None:
    actions = [outcomes.Outcomes(8).evaluate(ValueError("?"), number, 8).action for number in (1, 2, 3)]
    assert actions == [RetryAction.DEFAULT, RetryAction.DEFAULT, RetryAction.FAIL]


def test_a_cleared_task_gets_all_its_tries_again() -> None:
    # Three tries were made; clearing raised max_tries to 3 + 8.
    assert outcomes.Outcomes(8).evaluate(ValueError("?"), 4, 11).action is RetryAction.DEFAULT


def test_run_decodes_upstream_calls_the_stage_and_returns_json(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    tuned = TunedCandidate("forest", {"depth": 3}, 0.1, 4, 2.0, "abc")
    calls: list[Any] = []

    def run_stage(name: str, _at: Deployment, window: Window, **given: Any) -> Any:
        calls.append((name, window, given["upstream"], given["candidate"]))
        return tuned

    monkeypatch.setattr(stage_run, "run_stage", run_stage)
    upstream = {
        "ingest": {"window": JANUARY.to_json(), "files": [], "tables": [], "missing": []},
        "tune": [tuned.to_json()],
    }
    assert stage.run("train", pipeline, JANUARY, upstream=upstream, candidate="forest") == tuned.to_json()
    name, window, given, candidate = calls[0]
    assert (name, window, candidate) == ("train", JANUARY, "forest")
    assert (given["ingest"].window, given["tune"]) == (JANUARY, (tuned,))


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (DataContractError("bad"), AirflowFailException),
        (ConfigError("bad"), AirflowFailException),
        (GuardRefused("bad"), AirflowFailException),
        (UpstreamUnavailable("bad"), UpstreamUnavailable),
        (ValueError("bad"), ValueError),
    ],
)
def test_run_maps_only_permanent_errors_to_a_failure_without_retry(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, error: Exception, outcome: type[Exception]
) -> None:
    def run_stage(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr(stage_run, "run_stage", run_stage)
    with pytest.raises(outcome, match="bad"):
        stage.run("ingest", pipeline, JANUARY)


def test_a_run_id_holds_only_what_airflow_allows() -> None:
    assert as_run_id("probe:2013-03-01T00:00:00Z [a/b]") == "probe:2013-03-01T00:00:00Z--a-b-"
    assert len(as_run_id("x" * 500)) == 200


def test_the_waiting_retries_last_at_least_twenty_minutes() -> None:
    waits = [outcomes.RETRY_DELAY * 2**number for number in range(outcomes.WAITING_RETRIES)]
    assert sum((min(wait, outcomes.LONGEST_DELAY) for wait in waits), timedelta()) > timedelta(minutes=20)
