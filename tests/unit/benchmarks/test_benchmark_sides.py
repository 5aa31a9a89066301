"""benchmarks: what is compared did the same work, and the sides written by hand are what they say."""

import math

import numpy as np
import pandas as pd
import pytest
import yaml
from benchmarks import monitoring_statistics, plain_loop
from benchmarks.numpy_statistics import live_metrics
from benchmarks.pandas_checks import feed_checks, verdict
from benchmarks.same_rows import refuse_different
from benchmarks.same_work import refuse_other_work

from airloop.config import load_pipeline
from airloop.errors import DataContractError
from airloop.problems import PREDICTION
from airloop.records import Window
from airloop.run.stages import STAGES
from airloop.settings import load_settings
from airloop.stores import state
from airloop.watch import performance

FRAME = pd.DataFrame({"key": ["a", "b"], "number": [1.0, math.nan], "text": ["x", None]})


def test_equal_rows_in_another_order_are_the_same_result():
    refuse_different(FRAME, FRAME[::-1][["text", "key", "number"]], key="key")


@pytest.mark.parametrize(
    "other",
    [
        FRAME.assign(number=[1.0, 2.0]),
        FRAME.assign(text=["y", None]),
        FRAME.assign(text=[None, None]),
        FRAME[:1],
        FRAME.drop(columns="text"),
    ],
)
def test_another_value_row_or_column_is_refused(other):
    with pytest.raises(DataContractError, match=r"differs|did other work"):
        refuse_different(FRAME, other, key="key")


def test_the_checks_by_hand_are_as_many_as_the_declared_rules():
    path = load_settings().pipelines_dir / "flight_delays" / "expectations.yaml"
    declared = yaml.safe_load(path.read_text())["raw"]
    by_hand = feed_checks(days=31, schedule_rows=27_000)
    assert {feed: len(rules) for feed, rules in declared.items()} == {feed: len(c) for feed, c in by_hand.items()}


def test_the_checks_by_hand_count_bad_rows_once_and_keep_warnings_apart():
    good = {"flight_id": "1", "arrival_delay_minutes": 5, "air_time_minutes": 60}
    bad = {"flight_id": None, "arrival_delay_minutes": 5000, "air_time_minutes": None}
    twice = {"flight_id": "2", "arrival_delay_minutes": 5, "air_time_minutes": 60}
    checks = feed_checks(days=1, schedule_rows=4)["arrivals"]
    assert verdict(pd.DataFrame([good]), checks) == (1, 0, 0, 0)
    assert verdict(pd.DataFrame([good, bad, twice, twice]), checks) == (4, 3, 3, 1)


def test_a_rule_about_the_table_is_a_warning_that_marks_no_row():
    rows = pd.DataFrame({name: ["x"] for name in ("flight_id", "departure_delay_minutes")}).assign(
        departure_delay_minutes=3
    )
    assert verdict(rows, feed_checks(days=1, schedule_rows=1)["departures"]) == (1, 0, 0, 0)
    assert verdict(rows, feed_checks(days=1, schedule_rows=9)["departures"]) == (1, 0, 0, 1)


@pytest.fixture(scope="module")
def judged():
    """A month of rows: predictions with ties, features that are numbers, few numbers, and text, with gaps."""
    draw, rows = np.random.default_rng(7), 900
    score = draw.random(rows).round(2)
    return pd.DataFrame(
        {
            "decision_time": pd.Timestamp("2013-01-01", tz="UTC") + pd.to_timedelta(np.arange(rows) * 48, unit="min"),
            "label": (draw.random(rows) < score).astype(float),
            "score": score,
            "number": np.where(draw.random(rows) < 0.1, np.nan, draw.normal(size=rows)),
            "few": draw.integers(0, 4, rows).astype(float),
            "text": np.where(draw.random(rows) < 0.1, None, draw.choice(["a", "b", "c"], rows)),
        }
    )


def test_live_metrics_by_hand_are_those_of_monitoring(judged):
    pipeline = load_pipeline("flight_delays", load_settings())
    ours = performance.live(pipeline, judged.rename(columns={"score": PREDICTION}))
    resamples, confidence = pipeline.gate.compare.resamples, pipeline.monitoring.policy.confidence
    by_hand = live_metrics(judged, confidence=confidence, resamples=resamples, seed=pipeline.training.seed)
    assert by_hand == pytest.approx(ours, rel=1e-9)


def test_another_number_or_another_name_is_refused():
    numbers = {"brier": 0.17, "roc_auc": 0.7}
    monitoring_statistics.refuse_other_numbers(numbers, dict(numbers))
    with pytest.raises(DataContractError, match="brier is"):
        monitoring_statistics.refuse_other_numbers(numbers, numbers | {"brier": 0.17 + 1e-6})
    with pytest.raises(DataContractError, match="other statistics"):
        monitoring_statistics.refuse_other_numbers(numbers, {"brier": 0.17})


def test_the_plain_script_has_every_stage_that_the_flights_need():
    missing = {name for name in STAGES if not hasattr(plain_loop, name)}
    # No feed of theirs comes from SQL or may be late, and nobody goes back.
    assert missing == {"extract", "arrive", "roll_back", "take_back"}


JANUARY = Window.parse("2013-01-01T00:00:00Z", "2013-02-01T00:00:00Z")


def home_with(folder, *records, stage="decide"):
    settings = load_settings(home=folder)
    for number, record in enumerate(records):
        state.save_record(settings, "p", stage, input_key=str(number), window=JANUARY, record=record)
    return settings


def test_records_are_equal_whatever_their_order_home_and_run(tmp_path):
    def records(name):
        uri = f"{tmp_path / name}/lake/x"
        return [{"uri": uri, "run_id": name, "seconds": 1 / len(name)}, {"uri": "b", "value": [1, {"seconds": name}]}]

    ours = home_with(tmp_path / "ours", *records("ours"))
    assert refuse_other_work(ours, home_with(tmp_path / "theirs", *reversed(records("theirs"))), "p") == 2


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ([{"gain": {"value": [1, 2]}}], "decide found 3 on one side and 2 on the other at gain.value\\[1\\]"),
        ([{"gain": {"value": [1, 3, 4]}}], "at gain.value"),
        ([{"loss": 1}], "at the record"),
        ([], "decide ran 1 times on one side and 0 times on the other"),
    ],
)
def test_another_result_is_refused_and_named(tmp_path, other, says):
    ours = home_with(tmp_path / "ours", {"gain": {"value": [1, 3]}})
    with pytest.raises(DataContractError, match=says):
        refuse_other_work(ours, home_with(tmp_path / "theirs", *other), "p")
