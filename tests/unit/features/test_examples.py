"""Examples with their features as known at the decision time, and labels as known by an instant."""

from datetime import timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from tests.support import toy

from airloop.errors import ConfigError, DataContractError, UpstreamUnavailable
from airloop.features import examples, validated
from airloop.settings import Settings
from airloop.stores import lake, state

LABELS = "SELECT job, failed::DOUBLE AS label, known_at FROM failures;"


@pytest.fixture
def small(tmp_path: Path) -> Settings:
    """Two days of features, validated day by day; outcomes have not landed."""
    settings = toy.write_project(tmp_path / "project", Path(__file__).parents[3])
    toy.land(settings, days=range(2), outcomes=False)
    for day in range(2):
        toy.run_data(settings, toy.days(day, day + 1))
    return settings


def frame(settings, first, end, **options):
    return examples.feature_frame(toy.toy_pipeline(settings), toy.days(first, end), settings, **options)


def retrieved(settings, job, *times):
    asked = pa.table(
        {"job": [job] * len(times), "machine": ["m0"] * len(times), "decision_time": pa.array(times, lake.INSTANT)}
    )
    return examples.retrieve(toy.toy_pipeline(settings), asked, settings)


def test_a_column_of_the_examples_that_is_a_feature_is_refused_by_name(toy_settings):
    asked = pa.table({"job": ["j"], "job_size": [1.0], "decision_time": pa.array([toy.START], lake.INSTANT)})
    with pytest.raises(
        ConfigError, match="section examples: its column 'job_size' has the name of a feature of view job"
    ):
        examples.retrieve(toy.toy_pipeline(toy_settings), asked, toy_settings)


def test_examples_lie_in_the_window_in_order_and_once(toy_built):
    window = toy.days(3, 5)
    rows = examples.examples(toy.toy_pipeline(toy_built), window, toy_built).to_pandas()
    assert list(rows.columns) == ["job", "machine", "decision_time"]
    assert len(rows) == rows["job"].nunique() == 2 * toy.ROWS_A_DAY
    assert rows["decision_time"].between(window.start, window.end, inclusive="left").all()
    assert rows.sort_values(["decision_time", "job"]).equals(rows)


@pytest.mark.parametrize(
    ("old", "new", "error", "says"),
    [
        ("SELECT job, machine, starts_at", "SELECT 'j' AS job, machine, starts_at", DataContractError, "share a job"),
        ("AS decision_time", "AS decided", ConfigError, "section examples: needs columns job, decision_time"),
        ("AS label", "AS labelled", ConfigError, "section labels: needs columns job, label, known_at"),
    ],
)
def test_sections_that_break_their_contract_are_refused(toy_built, tmp_path, old, new, error, says):
    settings = toy.edited(toy_built, tmp_path, "features.sql", old, new)
    pipeline = toy.toy_pipeline(settings)
    read = examples.labels if "label" in old else examples.examples
    with pytest.raises(error, match=says):
        read(pipeline, toy.days(0, 1), settings)


def test_a_value_counts_from_the_moment_it_is_known_and_until_its_ttl(toy_built):
    heat = lake.read(lake.table_uri(toy_built, "toy", "features", "machine_heat"), toy_built).to_pandas()
    known = heat[heat["machine"] == "m0"].sort_values("known_at").iloc[10:12]
    first, second = (time.to_pydatetime() for time in known["known_at"])
    last = heat[heat["machine"] == "m0"].sort_values("known_at").iloc[-1]
    until = last["known_at"].to_pydatetime() + timedelta(hours=3)
    moment = timedelta(microseconds=1)
    rows = retrieved(toy_built, "j000-000", first, second - moment, second, until, until + moment)
    assert rows["celsius"].tolist()[:4] == [*known["celsius"].iloc[[0, 0, 1]], last["celsius"]]
    assert pd.isna(rows["celsius"].iloc[4])


def test_rows_keep_their_order_and_unknown_keys_find_nothing(toy_built):
    time = toy.START + timedelta(hours=5)
    rows = retrieved(toy_built, "nobody", time + timedelta(hours=1), time)
    assert rows["decision_time"].tolist() == [time + timedelta(hours=1), time]
    assert rows["machine_code"].isna().all()
    assert rows["celsius"].notna().all()


def test_labels_are_those_known_before_an_instant_and_a_missing_one_is_never_a_zero(toy_built):
    pipeline, window = toy.toy_pipeline(toy_built), toy.days(3, 4)
    everything = examples.labels(pipeline, window, toy_built)
    noon = window.start + timedelta(hours=12)
    known = examples.labels(pipeline, window, toy_built, as_of=noon)
    assert 0 < len(known) < len(everything)
    assert everything.loc[known.index].equals(known)
    rows = frame(toy_built, 3, 4, as_of=noon)
    assert rows["label"].notna().sum() == len(known)
    assert rows[rows["label"].isna()]["decision_time"].min() > noon - timedelta(hours=1)
    newest = examples.newest_label_at(pipeline, window, toy_built, as_of=noon)
    assert noon - timedelta(minutes=20) <= newest < noon


def test_an_outcome_known_exactly_at_the_instant_is_not_known_before_it(toy_built):
    pipeline, window = toy.toy_pipeline(toy_built), toy.days(3, 4)
    newest = examples.newest_label_at(pipeline, window, toy_built, as_of=window.end)
    assert examples.newest_label_at(pipeline, window, toy_built, as_of=newest) < newest


def test_of_two_outcomes_the_newest_known_wins(toy_built, tmp_path):
    twice = f"{LABELS[:-1]} UNION ALL SELECT job, 7, known_at + INTERVAL 1 MINUTE FROM failures ORDER BY known_at DESC;"
    settings = toy.edited(toy_built, tmp_path, "features.sql", LABELS, twice)
    assert set(examples.labels(toy.toy_pipeline(settings), toy.days(3, 4), settings)) == {7.0}


def test_before_any_outcome_has_landed_no_row_has_a_label(small):
    rows = frame(small, 0, 2)
    assert len(rows) == 2 * toy.ROWS_A_DAY
    assert rows["label"].dtype == "float64"
    assert rows["label"].isna().all()
    assert examples.newest_label_at(toy.toy_pipeline(small), toy.days(0, 2), small, as_of=toy.days(0, 2).end) is None
    assert "label" not in frame(small, 0, 2, with_labels=False)


def test_a_window_without_examples_gives_an_empty_frame_with_all_columns(toy_built):
    pipeline = toy.toy_pipeline(toy_built)
    night = toy.days(3, 4)
    window = type(night)(night.start, night.start + timedelta(hours=1))
    rows = examples.feature_frame(pipeline, window, toy_built)
    assert rows.empty
    assert list(rows.columns) == ["job", "decision_time", "machine_code", "job_size", "celsius", "label"]


def test_features_that_are_not_built_are_not_read(small):
    assert len(frame(small, 0, 2)) == 2 * toy.ROWS_A_DAY
    with pytest.raises(UpstreamUnavailable, match=r"not built and validated from 2020-01-03T00:00Z on; run toy__data"):
        frame(small, 1, 3)


def test_features_built_again_and_not_validated_since_are_not_read(small):
    path = Path(small.landing_uri) / "toy" / "heat" / "2020-01-01.csv"
    path.write_text(path.read_text().replace("T03:00:00Z,", "T03:00:00Z,1"))
    for stage in ("ingest", "validate_raw", "build_features"):
        toy.run(stage, small, toy.days(0, 1))
    with pytest.raises(UpstreamUnavailable, match="validated from 2020-01-01T00:00Z on"):
        frame(small, 0, 2)
    assert len(frame(small, 1, 2)) == toy.ROWS_A_DAY
    toy.run("validate_features", small, toy.days(0, 1))
    assert len(frame(small, 0, 2)) == 2 * toy.ROWS_A_DAY


def test_records_of_windows_that_do_not_overlap_are_not_even_decoded(small):
    pipeline, unreadable = toy.toy_pipeline(small), {"written": "by another age"}
    for stage, days in (("build_features", (5, 6)), ("validate_features", (2, 3))):
        state.save_record(small, "toy", stage, input_key="k", window=toy.days(*days), record=unreadable)
    validated.require(pipeline, toy.days(0, 2), small)
    with pytest.raises(UpstreamUnavailable, match="not built and validated from 2020-01-04T00:00Z on"):
        validated.require(pipeline, toy.days(3, 5), small)
