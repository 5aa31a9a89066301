"""Scored rows: examples beside the live predictions that one champion made of them, and what is wrong with them."""

from datetime import datetime

import pandas as pd
import pyarrow.dataset as ds

from airloop.config import Pipeline
from airloop.errors import DataContractError
from airloop.features import examples
from airloop.problems import PREDICTION, task_of
from airloop.records import Window
from airloop.settings import Settings
from airloop.stores import lake

QUALITY = (
    "rows",
    "unlabelled_share",
    "unlabelled_scored_share",
    "unscored_rows",
    "other_champion_rows",
    "duplicate_rows",
    "missing_share_max",
    "empty_features",
    "quarantined_rows",
)


def scored_rows(
    pipeline: Pipeline, span: Window, version: int, settings: Settings, *, as_of: datetime
) -> tuple[pd.DataFrame, int]:
    """Examples decided in `span` with `prediction`, the version's live one (NaN: it made none).

    Labels are those known before `as_of`. Also how many of the rows only other champions predicted live.

    Raises:
        DataContractError: A live prediction of the version is not what the task says, or a row has two.
        UpstreamUnavailable: Features of the span are not validated.
    """
    rows = examples.feature_frame(pipeline, span, settings, as_of=as_of)
    predictions = _live_predictions(pipeline, span, settings)
    own = predictions[predictions["model_version"] == version]
    key = [pipeline.prediction.entity_key, "decision_time"]
    if own.duplicated(key).any():
        raise DataContractError(f"{pipeline.name} {span}: live predictions of version {version} are doubled")
    task = task_of(pipeline)
    problem = task.prediction_problem(task.from_column(own[PREDICTION]))
    if problem:
        raise DataContractError(f"{pipeline.name} {span}: live predictions of version {version}: {problem}")
    rows = rows.merge(own[[*key, PREDICTION]], on=key, how="left", validate="one_to_one")
    others = predictions.loc[predictions["model_version"] != version, key].drop_duplicates()
    return rows, len(rows.loc[rows[PREDICTION].isna(), key].merge(others, on=key))


def _live_predictions(pipeline: Pipeline, span: Window, settings: Settings) -> pd.DataFrame:
    """Live predictions any champion made of the span: entity key, decision_time, model_version, prediction."""
    columns = [pipeline.prediction.entity_key, "decision_time", "model_version", PREDICTION]
    uri = lake.table_uri(settings, pipeline.name, "predictions", "predictions")
    if lake.open_table(uri, settings) is None:
        types = ("object", "datetime64[us, UTC]", "int64", "object")
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in zip(columns, types, strict=True)})
    live = (ds.field("role") == "champion") & (ds.field("mode") == "live")
    found = lake.read(uri, settings, where=lake.between("decision_time", span) & live, columns=columns)
    frame: pd.DataFrame = found.to_pandas()
    return frame


def quality(
    rows: pd.DataFrame, features: list[str], *, other_rows: int, empty_features: int, quarantined_rows: int
) -> dict[str, float | None]:
    """What is wrong with the rows themselves, by the names of QUALITY; a share of no rows is None.

    Args:
        other_rows: How many of them only other champions predicted live.
        empty_features: How many features have no value at all.
    """
    count, scored = len(rows), rows[PREDICTION].notna()
    values = (
        count,
        rows["label"].isna().mean() if count else None,
        rows.loc[scored, "label"].isna().mean() if scored.any() else None,
        (~scored).sum() - other_rows,
        other_rows,
        rows.duplicated([*features, "decision_time"]).sum(),
        rows[features].isna().mean().max() if count else None,
        empty_features,
        quarantined_rows,
    )
    return {name: None if value is None else float(value) for name, value in zip(QUALITY, values, strict=True)}
