"""The window of a run: where it comes from, and what is refused."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, ParamValidationError

from airloop.config import Pipeline, load_pipeline
from airloop.records import Window
from airloop.settings import load_settings
from airloop_airflow import windows

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
    ],
    ids=[
        "params",
        "offsets",
        "partition",
        "interval",
        "params>partition",
        "params>interval",
        "partition>interval",
    ],
)
def test_the_window_is_params_else_partition_else_interval(
    pipeline: Pipeline, context: dict[str, Any], expected: Window
) -> None:
    assert windows.window(pipeline, context) == expected


def test_an_hour_is_a_window_of_an_hourly_pipeline_alone(pipeline: Pipeline) -> None:
    hour = {"start": "2013-05-05T06:00:00Z", "end": "2013-05-05T07:00:00Z"}
    hourly = pipeline.model_copy(update={"calendar": "hourly"})
    assert windows.window(hourly, _context(hour)) == Window.parse(**hour)
    with pytest.raises(AirflowFailException, match="not a bound of a monthly window"):
        windows.window(pipeline, _context(hour))


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
        (
            _context({**PARAMS, "end": "2013-02-10T00:00:00Z"}),
            "end 2013-02-10T00:00:00Z is not a bound of a monthly window of flight_delays; the nearest is 2013-02-01",
        ),
        (_context(partition=datetime(2026, 11, 1, tzinfo=UTC)), "outside the coverage"),
        (_context(partition=datetime(2013, 2, 2, tzinfo=UTC)), "not the start of a monthly period"),
    ],
)
def test_a_run_without_a_sound_window_is_refused(pipeline: Pipeline, context: dict[str, Any], says: str) -> None:
    with pytest.raises(AirflowFailException, match=says):
        windows.window(pipeline, context)


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
    found = windows.window(pipeline.model_copy(update={"calendar": calendar}), _context(partition=expected.start))
    assert found == expected


def test_a_look_of_an_hourly_pipeline_is_a_day(pipeline: Pipeline) -> None:
    hourly, day = (
        pipeline.model_copy(update={"calendar": "hourly"}),
        Window.parse("2013-03-10T00:00Z", "2013-03-11T00:00Z"),
    )
    assert windows.window(hourly, _context(partition=day.start), "monitoring") == day
    with pytest.raises(AirflowFailException, match="not the start of a daily period"):
        windows.window(hourly, _context(partition=day.start + timedelta(hours=1)), "monitoring")


def test_an_unknown_conf_key_is_refused_with_the_nearest_valid_one(pipeline: Pipeline) -> None:
    with pytest.raises(AirflowFailException, match=r"unknown Param 'strat'; did you mean 'start'"):
        windows.window(pipeline, _context({**PARAMS, "strat": "x"}))


def test_openlineages_own_conf_key_is_let_through(pipeline: Pipeline) -> None:
    assert windows.window(pipeline, _context({**PARAMS, "openlineage": {}})) == JANUARY


def test_a_training_window_runs_from_the_coverages_start_to_the_cutoff(pipeline: Pipeline) -> None:
    found = windows.training_window(pipeline, _context({"cutoff": "2013-03-01T00:00:00Z"}))
    assert found == Window(JANUARY.start, FEBRUARY.end)


@pytest.mark.parametrize(
    "cutoff", ["junk", None, "2013-01-01T00:00:00Z", "2012-03-01T00:00:00Z", "2014-01-02T00:00:00Z"]
)
def test_a_cutoff_that_leaves_the_coverage_is_refused(pipeline: Pipeline, cutoff: str | None) -> None:
    with pytest.raises(AirflowFailException, match="refused cutoff"):
        windows.training_window(pipeline, _context({"cutoff": cutoff}))


@pytest.mark.parametrize("value", ["junk", "2013-01", "2013-01-01T00:00:00", 5])
def test_junk_instants_are_refused_when_the_run_is_asked_for(value: Any) -> None:
    for param in (windows.window_params()["start"], windows.cutoff_param()):
        with pytest.raises(ParamValidationError):
            param.resolve(value)


def test_a_day_alone_is_its_midnight_utc(pipeline: Pipeline) -> None:
    assert windows.window(pipeline, _context({"start": "2013-01-01", "end": "2013-02-01"})) == JANUARY
    assert windows.training_window(pipeline, _context({"cutoff": "2013-02-01"})) == JANUARY


@pytest.mark.parametrize(
    "value", ["2013-01-01", "2013-01-01T00:00:00Z", "2013-01-01T00:00:00.000Z", "2013-01-01T00:00+00:00"]
)
def test_every_spelling_of_an_instant_is_let_through(value: str) -> None:
    assert windows.cutoff_param().resolve(value) == value
