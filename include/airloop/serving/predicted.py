"""What was predicted, beside what came: the predictions' table for people and other programs."""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import polars as pl

from airloop.config import Pipeline
from airloop.config.dag_ids import dag_of
from airloop.errors import ConfigError, GuardRefused, UpstreamUnavailable
from airloop.features import examples
from airloop.models import decision_threshold, prediction_tables, recorded_digest
from airloop.problems import PREDICTION
from airloop.records import Ingested, Window
from airloop.serving import version_files
from airloop.serving.score import predictions_uri
from airloop.settings import Settings
from airloop.stores import lake, state

logger = logging.getLogger(__name__)

_FAR = datetime.max.replace(tzinfo=UTC) - timedelta(days=1)
FORMATS: dict[str, Callable[[pl.DataFrame, Path], object]] = {
    ".csv": lambda rows, path: rows.write_csv(path),
    ".parquet": lambda rows, path: rows.write_parquet(path),
}


def predicted(pipeline: Pipeline, span: Window, settings: Settings) -> pl.DataFrame:
    """The predictions of rows decided in `span`, by decision time, key, version and mode.

    Returns:
        Columns: the entity key; decision_time, window_start (UTC); model_version; role and mode; `prediction`, the
        probability of 1 or the value, of quantiles `prediction_<level>` for each, and of classes `predicted` (the most
        probable one; of equals the first) and `prediction_<class>` for each in declared order; where a version among
        them has a threshold (airloop.models.threshold_choice) it too, and `predicted`, 1 from it on; `outcome`: 0 or 1,
        the value, the class; null until it is mature. Mature is a row whose decision lies the label delay before the
        end of the newest ingested window: a horizon for all rows, so that late outcomes are not fewer among the shown.

    Raises:
        UpstreamUnavailable: Nothing has been predicted yet.
        ConfigError: What was predicted is of another problem than is declared now.
    """
    uri = predictions_uri(pipeline, settings)
    if prediction_tables.opened(uri, pipeline, settings) is None:
        raise UpstreamUnavailable(
            f"{pipeline.name}: nothing has been predicted yet; a window is scored by "
            f"{dag_of(pipeline.name, 'scoring')}, `airloop replay {pipeline.name}` or "
            f"`airloop run score {pipeline.name}`, once there is a champion"
        )
    rows = pl.DataFrame(lake.read(uri, settings, where=lake.between("decision_time", span)))
    key = pipeline.prediction.entity_key
    rows = rows.with_columns(_outcomes(pipeline, rows, settings))
    classes = pipeline.prediction.classes
    levels = pipeline.prediction.quantiles
    values = [pl.col(PREDICTION)]
    if levels:
        names = ((place, f"{PREDICTION}_{level:g}") for place, level in enumerate(levels))
        values = [pl.col(PREDICTION).list.get(place).alias(name) for place, name in names]
    if classes:
        values = [
            pl.col(PREDICTION).list.arg_max().replace_strict(dict(enumerate(classes)), default=None).alias("predicted"),
            *(pl.col(PREDICTION).list.get(number).alias(f"{PREDICTION}_{name}") for number, name in enumerate(classes)),
        ]
    elif pipeline.prediction.task == "binary":
        values += _decided(_thresholds(pipeline, rows["model_version"], settings))
    return rows.sort("decision_time", key, "model_version", "mode").select(
        key, "decision_time", "window_start", "model_version", "role", "mode", *values, "outcome"
    )


def _thresholds(pipeline: Pipeline, versions: pl.Series, settings: Settings) -> dict[int, float]:
    """Of the versions that have one and whose files are still those that were judged: by these it was served."""
    thresholds: dict[int, float] = {}
    for version in versions.unique().to_list():
        try:
            files = version_files.files(pipeline.name, version, settings)
            recorded_digest.refuse_changed(pipeline.name, version, files, settings)
        except GuardRefused as error:  # what it predicted stays
            logger.warning("%s: the threshold of version %s is left out: %s", pipeline.name, version, error)
            continue
        threshold = decision_threshold.of_files(files)
        if threshold is not None:
            thresholds[version] = threshold
    return thresholds


def _decided(thresholds: Mapping[int, float]) -> list[pl.Expr]:
    """Columns `threshold` and `predicted`; none where no version has a threshold."""
    if not thresholds:
        return []
    threshold = pl.col("model_version").replace_strict(dict(thresholds), default=None, return_dtype=pl.Float64)
    return [threshold.alias("threshold"), (pl.col(PREDICTION) >= threshold).cast(pl.Int64).alias("predicted")]


def write(rows: pl.DataFrame, path: Path) -> None:
    """Write the rows as the ending of the path says, whole or not at all.

    Raises:
        ConfigError: The ending is neither .csv nor .parquet, or there is no such folder.
    """
    draft = path.with_name(f".{path.name}.part")
    refuse_path(path)
    FORMATS[path.suffix](rows, draft)
    draft.replace(path)


def refuse_path(path: Path) -> None:
    """Refuse a file that cannot be written as it is named.

    Raises:
        ConfigError: See write.
    """
    if path.suffix not in FORMATS:
        raise ConfigError(f"--out {path}: predictions are written as .csv or .parquet; name it {path.stem}.csv")
    if not path.absolute().parent.is_dir():
        raise ConfigError(f"--out {path}: there is no folder {path.absolute().parent}; make it first")


def _outcomes(pipeline: Pipeline, rows: pl.DataFrame, settings: Settings) -> pl.Series:
    """What came of each row, in their order; null where it is not mature, or never came."""
    classes = pipeline.prediction.classes
    kind = pl.String if classes else pl.Float64
    known_until = _known_until(pipeline, settings)
    if known_until is None or rows.is_empty():
        return pl.Series("outcome", [None] * rows.height, dtype=kind)
    decided = rows["decision_time"]
    span = Window(decided.min(), decided.max() + timedelta.resolution)  # type: ignore[operator, arg-type]
    labels = (
        examples.labels(pipeline, span, settings, as_of=known_until)
        if span.start < known_until
        else pd.Series(dtype="float64")
    )
    outcomes = rows[pipeline.prediction.entity_key].to_pandas().map(labels).astype("float64")
    times = decided.to_pandas()
    absent = pipeline.prediction.labels
    if absent is not None:
        waited = times + timedelta(days=absent.absent_after_days) <= known_until
        outcomes = outcomes.mask(outcomes.isna() & waited, absent.means)
    outcomes = outcomes.where(times < known_until - pipeline.prediction.label_delay)
    values = [None if pd.isna(value) else (classes[int(value)] if classes else value) for value in outcomes]
    return pl.Series("outcome", values, dtype=kind)


def _known_until(pipeline: Pipeline, settings: Settings) -> datetime | None:
    """The end of the ingested window that ends last."""
    rows = state.records_before(settings, pipeline.name, "ingest", end=pipeline.coverage.end or _FAR, limit=1)
    return Ingested.from_json(rows[0]).window.end if rows else None
