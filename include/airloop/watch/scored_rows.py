"""Scored rows: examples beside the live predictions that one champion made of them, and what is wrong with them."""

import pandas as pd
import pyarrow.dataset as ds

from airloop.config import Pipeline
from airloop.errors import DataContractError
from airloop.features import examples
from airloop.models import prediction_tables
from airloop.problems import PREDICTION, task_of
from airloop.records import Window
from airloop.settings import Settings
from airloop.stores import lake
from airloop.watch import rhythm
from airloop.watch.evidence import LookedAt

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
    pipeline: Pipeline, window: Window, judged: LookedAt, version: int, settings: Settings
) -> tuple[pd.DataFrame, int]:
    """Examples of a look's evidence with `prediction`, the version's live one (NaN: it made none).

    Labels are those known before window.end. Also how many of the rows only other champions predicted live. Left out is
    what was excluded, and windows before this one whose features were never built.

    Raises:
        DataContractError: A live prediction of the version is not what the task says, or a row has two.
        UpstreamUnavailable: Features of the rows that matured in the window itself are not validated.
    """
    span, newest = (rhythm.rows_window(pipeline, part) for part in (judged.window, window))
    rows = examples.validated_frame(pipeline, span, settings, as_of=window.end, required=newest)
    for excluded in judged.excluded:
        inside = (rows["decision_time"] >= excluded.start) & (rows["decision_time"] < excluded.end)
        rows = rows[~inside].reset_index(drop=True)
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
    if prediction_tables.opened(uri, pipeline, settings) is None:
        types = ("object", "datetime64[us, UTC]", "int64", "object")
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in zip(columns, types, strict=True)})
    live = (ds.field("role") == "champion") & (ds.field("mode") == "live")
    rows = lake.read(uri, settings, where=lake.between("decision_time", span) & live, columns=columns)
    frame: pd.DataFrame = rows.to_pandas()
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
