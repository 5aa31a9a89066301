"""The predictions' table: one row a prediction, its outcome only once all of its age have had time to come."""

from datetime import timedelta
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from tests.support import toy, toy_tasks
from tests.support.command import Airloop

from airloop.config import Pipeline, load_pipeline
from airloop.errors import ConfigError, UpstreamUnavailable
from airloop.features import examples
from airloop.problems import PREDICTION, task_of
from airloop.records import Window
from airloop.serving import predicted
from airloop.serving.score import predictions_uri
from airloop.settings import Settings
from airloop.stores import lake
from airloop.stores.append_once import append_once

DAYS = toy.days(0, 4)


def predict(pipeline: Pipeline, settings: Settings, window: Window = DAYS) -> pa.Table:
    """Write what a champion would have written about the window's examples: the same prediction for all."""
    rows = examples.examples(pipeline, window, settings)
    classes = len(pipeline.prediction.classes)
    values = [[0.0] * (classes - 1) + [1.0]] * rows.num_rows if classes else [0.25] * rows.num_rows
    table = pa.table(
        {
            "job": rows["job"].cast(pa.string()),
            "decision_time": rows["decision_time"],
            "model_version": pa.array([1] * rows.num_rows, pa.int64()),
            "role": ["champion"] * rows.num_rows,
            "mode": ["live"] * rows.num_rows,
            PREDICTION: pa.array(values, task_of(pipeline).column_type),
            "window_start": pa.array([window.start] * rows.num_rows, lake.INSTANT),
        }
    )
    key = ("job", "decision_time", "model_version", "role", "mode")
    append_once(
        predictions_uri(pipeline, settings), table, settings, time_column="decision_time", key=key, window=window
    )
    return table


def at_hand(root: Path, kind: str) -> tuple[Pipeline, Settings]:
    """Four days of the toy of a task, in the lake and predicted."""
    if kind == "binary":
        settings = toy.write_project(root / "project", Settings().project_dir)
        toy.land(settings, days=range(4))
    else:
        settings = toy_tasks.write_project(root / "project", Settings().project_dir, kind)
        toy_tasks.land(settings, kind, days=range(4))
    toy.run_data(settings, DAYS)
    pipeline = load_pipeline("toy", settings)
    predict(pipeline, settings)
    return pipeline, settings


def test_a_row_a_prediction_and_its_outcome_once_it_is_mature(tmp_path: Path) -> None:
    pipeline, settings = at_hand(tmp_path, "binary")
    rows = predicted.predicted(pipeline, DAYS, settings)
    assert rows.columns == [
        "job", "decision_time", "window_start", "model_version", "role", "mode", "prediction", "outcome",
    ]  # fmt: skip
    assert rows.height == 4 * toy.ROWS_A_DAY
    assert rows["decision_time"].is_sorted()
    horizon = DAYS.end - timedelta(hours=24)
    known = examples.labels(pipeline, DAYS, settings, as_of=DAYS.end)
    for row in rows.iter_rows(named=True):
        mature = row["decision_time"] < horizon
        assert row["outcome"] == (known[row["job"]] if mature else None)
    assert rows["outcome"].null_count() == (rows["decision_time"] >= horizon).sum() > 0


def test_of_classes_there_is_a_column_each_and_the_outcome_by_its_name(tmp_path: Path) -> None:
    pipeline, settings = at_hand(tmp_path, "multiclass")
    rows = predicted.predicted(pipeline, DAYS, settings)
    assert rows.columns[6:] == ["predicted", "prediction_done", "prediction_slow", "prediction_failed", "outcome"]
    assert rows["predicted"].unique().to_list() == ["failed"]
    assert set(rows["outcome"].drop_nulls()) <= set(toy_tasks.CLASSES)
    assert rows["outcome"].n_unique() > 2


def test_both_formats_hold_the_same_and_another_one_is_refused(tmp_path: Path) -> None:
    pipeline, settings = at_hand(tmp_path, "regression")
    rows = predicted.predicted(pipeline, DAYS, settings)
    for name, read in (("rows.csv", pl.read_csv), ("rows.parquet", pl.read_parquet)):
        predicted.write(rows, tmp_path / name)
        assert read(tmp_path / name).height == rows.height
        assert read(tmp_path / name)["outcome"].null_count() == rows["outcome"].null_count()
    with pytest.raises(ConfigError, match=r"written as \.csv or \.parquet; name it rows\.csv"):
        predicted.write(rows, tmp_path / "rows.xlsx")
    with pytest.raises(ConfigError, match="make it first"):
        predicted.write(rows, tmp_path / "nowhere" / "rows.csv")
    assert sorted(path.name for path in tmp_path.glob("*rows*")) == ["rows.csv", "rows.parquet"]


def test_where_nothing_was_predicted_the_ways_to_a_prediction_are_named(toy_settings: Settings) -> None:
    with pytest.raises(UpstreamUnavailable, match="airloop replay toy"):
        predicted.predicted(toy.toy_pipeline(toy_settings), DAYS, toy_settings)


def test_the_command_takes_a_window_or_a_span(toy_settings: Settings, airloop: Airloop, tmp_path: Path) -> None:
    toy.land(toy_settings, days=range(4))
    toy.run_data(toy_settings, DAYS)
    predict(toy.toy_pipeline(toy_settings), toy_settings)
    done = airloop("predictions", "toy", "--window", "2020-01-02", "--out", str(tmp_path / "day.csv"))
    assert f"{toy.ROWS_A_DAY} predictions of toy, {toy.ROWS_A_DAY} with a mature outcome" in done.out
    assert pl.read_csv(tmp_path / "day.csv")["job"].str.starts_with("j001").all()
    assert "240 predictions of toy" in airloop("predictions", "toy").out
    for arguments, says in (
        (("--window", "2020-01-02T05:00:00Z"), "no daily window of toy starts at 2020-01-02T05:00:00Z; the nearest is"),
        (("--window", "2020-01-02", "--to", "2020-01-03"), "give one or the other"),
        (("--from", "2020-01-03", "--to", "2020-01-02"), "does not lie before --to"),
        (("--out", "rows.txt"), "written as .csv or .parquet"),
    ):
        refused = airloop("predictions", "toy", *arguments)
        assert refused.code == 1
        assert says in refused.err
