"""The window of a run, and what an error means to Airflow."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import RetryAction
from airflow.sdk.exceptions import AirflowFailException, ParamValidationError

import dag_kit
from airloop import stage_run
from airloop.config import Pipeline, load_pipeline
from airloop.errors import ConfigError, DataContractError, GuardRefused, UpstreamUnavailable
from airloop.records import TunedCandidate, Window
from airloop.settings import load_settings

JANUARY = Window.parse("2013-01-01T00:00:00Z", "2013-02-01T00:00:00Z")
FEBRUARY = Window.parse("2013-02-01T00:00:00Z", "2013-03-01T00:00:00Z")
PARAMS = {"start": "2013-01-01T00:00:00Z", "end": "2013-02-01T00:00:00Z"}
INTERVAL = {"data_interval_start": FEBRUARY.start, "data_interval_end": FEBRUARY.end}


@pytest.fixture
def pipeline() -> Pipeline:
    return load_pipeline("flight_delays", load_settings())


def _context(params: dict[str, Any] | None = None, *, partition: datetime | None = None, **more: Any) -> dict[str, Any]:
    known = {"start": None, "end": None, "cutoff": None}
    run = SimpleNamespace(conf=params, partition_date=partition, run_type="manual")
    return {"params": known | (params or {}), "dag": SimpleNamespace(params=known), "dag_run": run, **more}


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        (_context(PARAMS), JANUARY),
        (_context({"start": "2013-01-01T01:00:00+01:00", "end": "2013-01-31T19:00:00-05:00"}), JANUARY),
        (_context(partition=FEBRUARY.start), FEBRUARY),
        (_context(**INTERVAL), FEBRUARY),
        (_context(PARAMS, partition=FEBRUARY.start), JANUARY),
        (_context(PARAMS, **INTERVAL), JANUARY),
        (_context(partition=JANUARY.start, **INTERVAL), JANUARY),
        (_context({"start": "2013-05-05T06:00:00Z", "end": "2013-05-05T07:00:00Z"}), None),
    ],
    ids=[
        "params",
        "offsets",
        "partition",
        "interval",
        "params>partition",
        "params>interval",
        "partition>interval",
        "hour",
    ],
)
def test_the_window_is_params_else_partition_else_interval(
    pipeline: Pipeline, context: dict[str, Any], expected: Window | None
) -> None:
    expected = expected or Window.parse("2013-05-05T06:00:00Z", "2013-05-05T07:00:00Z")
    assert dag_kit.window(pipeline, context) == expected


@pytest.mark.parametrize(
    ("context", "says"),
    [
        (_context(), "has no window"),
        (
            _context(logical_date=FEBRUARY.end, data_interval_start=FEBRUARY.end, data_interval_end=FEBRUARY.end),
            "no window",
        ),
        (_context({"start": "2013-01-01T00:00:00Z"}), "give both or none"),
        (_context({"end": "2013-01-01T00:00:00Z"}), "give both or none"),
        (_context({**PARAMS, "start": "junk"}), "'junk' is not an ISO 8601 instant"),
        (_context({**PARAMS, "end": "2013-02-30T00:00:00Z"}), "'2013-02-30T00:00:00Z' is not"),
        (_context({**PARAMS, "start": "2013-01-01T00:00:00"}), "has no UTC offset"),
        (_context({"start": PARAMS["end"], "end": PARAMS["start"]}), "empty or reversed"),
        (_context({"start": PARAMS["end"], "end": PARAMS["end"]}), "empty or reversed"),
        (_context({"start": "2012-12-01T00:00:00Z", "end": "2013-01-01T00:00:00Z"}), "outside the coverage"),
        (_context({"start": "2013-12-01T00:00:00Z", "end": "2014-01-01T00:00:01Z"}), "outside the coverage"),
        (_context(partition=datetime(2026, 11, 1, tzinfo=UTC)), "outside the coverage"),
        (_context(partition=datetime(2013, 2, 2, tzinfo=UTC)), "not the start of a monthly period"),
    ],
)
def test_a_run_without_a_sound_window_is_refused(pipeline: Pipeline, context: dict[str, Any], says: str) -> None:
    with pytest.raises(AirflowFailException, match=says):
        dag_kit.window(pipeline, context)


@pytest.mark.parametrize(
    ("calendar", "start", "end"),
    [
        ("hourly", "2013-03-10T06:00:00Z", "2013-03-10T07:00:00Z"),
        ("daily", "2013-03-10T00:00:00Z", "2013-03-11T00:00:00Z"),
        ("weekly", "2013-03-11T00:00:00Z", "2013-03-18T00:00:00Z"),
        ("monthly", "2013-12-01T00:00:00Z", "2014-01-01T00:00:00Z"),
    ],
)
def test_a_partition_ends_at_the_calendars_next_tick(pipeline: Pipeline, calendar: str, start: str, end: str) -> None:
    expected = Window.parse(start, end)
    found = dag_kit.window(pipeline.model_copy(update={"calendar": calendar}), _context(partition=expected.start))
    assert found == expected


def test_an_unknown_conf_key_is_refused_with_the_nearest_valid_one(pipeline: Pipeline) -> None:
    with pytest.raises(AirflowFailException, match=r"unknown Param 'strat'; did you mean 'start'"):
        dag_kit.window(pipeline, _context({**PARAMS, "strat": "x"}))


def test_openlineages_own_conf_key_is_let_through(pipeline: Pipeline) -> None:
    assert dag_kit.window(pipeline, _context({**PARAMS, "openlineage": {}})) == JANUARY


def test_a_training_window_runs_from_the_coverages_start_to_the_cutoff(pipeline: Pipeline) -> None:
    found = dag_kit.training_window(pipeline, _context({"cutoff": "2013-03-01T00:00:00Z"}))
    assert found == Window(JANUARY.start, FEBRUARY.end)


@pytest.mark.parametrize(
    "cutoff", ["junk", None, "2013-01-01T00:00:00Z", "2012-03-01T00:00:00Z", "2014-01-02T00:00:00Z"]
)
def test_a_cutoff_that_leaves_the_coverage_is_refused(pipeline: Pipeline, cutoff: str | None) -> None:
    with pytest.raises(AirflowFailException, match="refused cutoff"):
        dag_kit.training_window(pipeline, _context({"cutoff": cutoff}))


@pytest.mark.parametrize("value", ["junk", "2013-01-01", "2013-01-01T00:00:00", 5])
def test_junk_instants_are_refused_when_the_run_is_asked_for(value: Any) -> None:
    for param in (dag_kit.window_params()["start"], dag_kit.cutoff_param()):
        with pytest.raises(ParamValidationError):
            param.resolve(value)


@pytest.mark.parametrize("value", ["2013-01-01T00:00:00Z", "2013-01-01T00:00:00.000Z", "2013-01-01T00:00+00:00"])
def test_every_spelling_of_an_instant_is_let_through(value: str) -> None:
    assert dag_kit.cutoff_param().resolve(value) == value


def test_the_calendar_skips_periods_that_begin_before_the_coverage(pipeline: Pipeline) -> None:
    late = pipeline.coverage.model_copy(update={"start": datetime(2013, 1, 10, tzinfo=UTC), "end": None})
    found = dag_kit.calendar(pipeline.model_copy(update={"coverage": late}))
    assert (found.first, found.last) == (datetime(2013, 3, 1, tzinfo=UTC), None)


@pytest.mark.parametrize("error", [DataContractError, ConfigError, GuardRefused])
def test_a_permanent_error_fails_at_the_first_try(error: type[Exception]) -> None:
    decision = dag_kit.Outcomes(2).evaluate(error("refused because"), try_number=1, max_tries=2)
    assert (decision.action, decision.reason) == (RetryAction.FAIL, "refused because")


def test_an_unavailable_store_is_retried_ever_more_slowly() -> None:
    tries = [dag_kit.Outcomes(8).evaluate(UpstreamUnavailable("down"), number, 8) for number in range(1, 9)]
    assert {decision.action for decision in tries} == {RetryAction.RETRY}
    assert [int(decision.retry_delay.total_seconds()) for decision in tries if decision.retry_delay] == [
        *(5, 10, 20, 40, 80, 160, 320, 640)
    ]


def test_an_unexpected_error_is_tried_three_times_however_many_retries_there_are() -> None:
    actions = [dag_kit.Outcomes(8).evaluate(ValueError("?"), number, 8).action for number in (1, 2, 3)]
    assert actions == [RetryAction.DEFAULT, RetryAction.DEFAULT, RetryAction.FAIL]


def test_a_cleared_task_gets_all_its_tries_again() -> None:
    # Three tries were made; clearing raised max_tries to 3 + 8.
    assert dag_kit.Outcomes(8).evaluate(ValueError("?"), 4, 11).action is RetryAction.DEFAULT


def test_run_decodes_upstream_calls_the_stage_and_returns_json(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    tuned = TunedCandidate("forest", {"depth": 3}, 0.1, 4, 2.0, "abc")
    calls: list[Any] = []

    def run_stage(name: str, pipeline: Pipeline, window: Window, **given: Any) -> Any:
        calls.append((name, window, given["upstream"], given["candidate"]))
        return tuned

    monkeypatch.setattr(stage_run, "run_stage", run_stage)
    upstream = {
        "ingest": {"window": JANUARY.to_json(), "files": [], "tables": [], "missing": []},
        "tune": [tuned.to_json()],
    }
    assert dag_kit.run("train", pipeline, JANUARY, upstream=upstream, candidate="forest") == tuned.to_json()
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
        dag_kit.run("ingest", pipeline, JANUARY)


def test_a_run_id_holds_only_what_airflow_allows() -> None:
    assert dag_kit.as_run_id("probe:2013-03-01T00:00:00Z [a/b]") == "probe:2013-03-01T00:00:00Z--a-b-"
    assert len(dag_kit.as_run_id("x" * 500)) == 200


def test_the_waiting_retries_last_at_least_twenty_minutes() -> None:
    waits = [dag_kit.RETRY_DELAY * 2**number for number in range(dag_kit.WAITING_RETRIES)]
    assert sum((min(wait, dag_kit.LONGEST_DELAY) for wait in waits), timedelta()) > timedelta(minutes=20)
