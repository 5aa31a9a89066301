"""Examples: what is predicted and when, features as known at the decision time, labels as known by an instant."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from airloop.config import Pipeline
from airloop.errors import ConfigError, DataContractError
from airloop.features import arrays, feature_store, sections, validated
from airloop.records import Window
from airloop.settings import Settings
from airloop.stores import lake
from airloop.stores.lake_rows import Feeds

_LABELS_AFTER = timedelta(days=30)


def examples(pipeline: Pipeline, window: Window, settings: Settings) -> pa.Table:
    """Entity keys and decision_time (UTC) of the examples whose decision time lies in the window.

    Sorted by decision_time, then entity key; an entity appears once.

    Raises:
        ConfigError: The section lacks the entity key or decision_time.
        DataContractError: Two examples share an entity key.
    """
    section = _section(pipeline, "examples", settings)
    feeds = sections.feeds_for(pipeline, window, settings, read_by=(section,))
    key, rows = pipeline.prediction.entity_key, _decided(pipeline, window, settings, feeds)
    _refuse_shared_keys(pipeline, window, rows, key)
    return rows.sort_by([("decision_time", "ascending"), (key, "ascending")])


def feeds_read(pipeline: Pipeline, settings: Settings) -> tuple[str, ...]:
    """The feeds whose clean rows make the examples, in declared order."""
    return sections.feeds_read(pipeline, (_section(pipeline, "examples", settings),))


def count(pipeline: Pipeline, window: Window, settings: Settings, feeds: Feeds) -> int:
    """How many examples have their decision time in the window.

    Args:
        feeds: What the window's sections read.

    Raises:
        ConfigError: See examples.
    """
    read = feeds_read(pipeline, settings)
    return int(_decided(pipeline, window, settings, {name: feeds[name] for name in read}).num_rows)


def _decided(pipeline: Pipeline, window: Window, settings: Settings, feeds: Feeds) -> pa.Table:
    section = _section(pipeline, "examples", settings)
    with sections.connect(pipeline, window, feeds, settings) as connection:
        rows = sections.query(connection, pipeline, section)
    _refuse_without(pipeline, rows, section, columns=(pipeline.prediction.entity_key, "decision_time"))
    return rows.filter(lake.between("decision_time", window))


def _refuse_shared_keys(pipeline: Pipeline, window: Window, rows: pa.Table, key: str) -> None:
    if pc.count_distinct(rows[key]).as_py() == rows.num_rows:
        return
    counts = pc.value_counts(rows[key])
    shared = counts.filter(pc.greater(counts.field("counts"), 1)).field("values")
    first = shared[0].as_py()
    times = rows.filter(pc.equal(rows[key], first))["decision_time"].to_pylist()
    shown = ", ".join(f"{time:%Y-%m-%dT%H:%M:%SZ}" for time in sorted(times)[:5])
    raise DataContractError(
        f"{pipeline.name} {window}: examples share a {key}: {len(shared)} keys stand for several, first {first!r} with "
        f"the decision times {shown}: does the key start again in each file of those days? Give each row a key of its "
        "own, or make it of several columns in features.sql and `key` of the feed"
    )


def labels(pipeline: Pipeline, window: Window, settings: Settings, *, as_of: datetime | None = None) -> pd.Series:
    """Labels (float64) by entity key of outcomes known before `as_of`; no outcome, no entry; the newest known wins.

    Args:
        window: Decision times of the examples asked about; outcomes known before its start belong to earlier ones.
        as_of: Default is 30 days after the window.

    Raises:
        ConfigError: The section lacks the entity key, label or known_at.
    """
    rows = label_rows(pipeline, window, settings, as_of=as_of)
    key = pipeline.prediction.entity_key
    labels_by_key: pd.Series = rows.drop_duplicates(key, keep="last").set_index(key)["label"].astype("float64")
    return labels_by_key


def newest_label_at(pipeline: Pipeline, window: Window, settings: Settings, *, as_of: datetime) -> datetime | None:
    """When the newest outcome known before `as_of` became known; None when there is none since window.start."""
    known_at = label_rows(pipeline, window, settings, as_of=as_of)["known_at"]
    return None if known_at.empty else known_at.iloc[-1].to_pydatetime()


def labels_known_at(pipeline: Pipeline, window: Window, settings: Settings, *, as_of: datetime) -> pd.Series:
    """When each outcome known in `[window.start, as_of)` became known, ascending."""
    known_at: pd.Series = label_rows(pipeline, window, settings, as_of=as_of)["known_at"]
    return known_at


def label_rows(pipeline: Pipeline, window: Window, settings: Settings, *, as_of: datetime | None) -> pd.DataFrame:
    """Entity key, label and known_at of every outcome known in `[window.start, as_of)`, by known_at, then key.

    Args:
        as_of: None for 30 days after the window.

    Raises:
        ConfigError: The section lacks one of these columns.
    """
    section = _section(pipeline, "labels", settings)
    known = Window(window.start, as_of or window.end + _LABELS_AFTER)
    feeds = sections.feeds_for(pipeline, known, settings, read_by=(section,))
    with sections.connect(pipeline, known, feeds, settings) as connection:
        rows = sections.query(connection, pipeline, section)
    key = pipeline.prediction.entity_key
    _refuse_without(pipeline, rows, section, columns=(key, "label", "known_at"))
    by_time = [("known_at", "ascending"), (key, "ascending")]
    frame: pd.DataFrame = rows.filter(lake.between("known_at", known)).sort_by(by_time).to_pandas()
    return frame


def _refuse_without(pipeline: Pipeline, rows: pa.Table, section: sections.Section, *, columns: tuple[str, ...]) -> None:
    if not set(columns) <= set(rows.schema.names):
        raise ConfigError(f"{pipeline.name}/features.sql, section {section.name}: needs columns {', '.join(columns)}")


def feature_frame(
    pipeline: Pipeline,
    window: Window,
    settings: Settings,
    *,
    as_of: datetime | None = None,
    with_labels: bool = True,
    keep: Callable[[pa.Table], pa.Table] | None = None,
) -> pd.DataFrame:
    """Examples with decision time in the window, their features through Feast's point-in-time retrieval, their labels.

    Args:
        keep: Examples -> those whose features are read, in their order; default all.

    Returns:
        Columns: entity key, decision_time (UTC), the service's features (numbers float64, an array a column for each of
        its elements, texts object; NaN/None where nothing was known), label (float64; NaN without outcome known before
        `as_of`, unless prediction.labels says what that means). Sorted by decision_time, key.

    Raises:
        DataContractError: Retrieval lost or doubled rows, two examples share an entity key, or an array has another
            length than declared.
        UpstreamUnavailable: The features of the window are not built and validated.
    """
    validated.require(pipeline, window, settings)
    rows = examples(pipeline, window, settings)
    rows = rows if keep is None else keep(rows)
    frame = retrieve(pipeline, rows, settings)
    key = pipeline.prediction.entity_key
    if with_labels:
        known = frame[key].map(labels(pipeline, window, settings, as_of=as_of)).astype("float64")
        frame["label"] = with_absent(pipeline, known, frame["decision_time"], as_of or window.end + _LABELS_AFTER)
    return frame


def validated_frame(
    pipeline: Pipeline, span: Window, settings: Settings, *, as_of: datetime, required: Window | None = None
) -> pd.DataFrame:
    """`feature_frame` of what was built and validated of a span; the windows that never were are left out.

    Args:
        required: The part of the span that has to be there.

    Raises:
        UpstreamUnavailable: Features of `required` are not built and validated.
    """
    if required is not None:
        validated.require(pipeline, required, settings)
    parts = validated.spans(pipeline, span, settings) or (span,)
    frames = [feature_frame(pipeline, part, settings, as_of=as_of) for part in parts]
    return frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)


def with_absent(pipeline: Pipeline, known: pd.Series, decided: pd.Series, as_of: datetime) -> pd.Series:
    """Labels with `prediction.labels.means` where no outcome was known when that came to mean something."""
    absent = pipeline.prediction.labels
    if absent is None:
        return known
    waited = decided + timedelta(days=absent.absent_after_days) <= as_of
    return known.mask(known.isna() & waited, absent.means)


def retrieve(pipeline: Pipeline, rows: pa.Table, settings: Settings) -> pd.DataFrame:
    """Point-in-time features of example rows, in their order: values with known_at <= decision_time, within ttl.

    Raises:
        ConfigError: A column of the examples has the name of a feature.
    """
    if shared := feature_store.shared_with_examples(pipeline, settings, rows.schema.names):
        raise ConfigError(f"{pipeline.name}/features.sql, section examples: {shared[0]}")
    store = feature_store.open_store(pipeline, settings)
    service: Any = store.get_feature_service(pipeline.features.service)
    entity_frame = rows.rename_columns({"decision_time": "event_timestamp"}).to_pandas(types_mapper=_without_copy)
    job = store.get_historical_features(entity_df=entity_frame, features=service, filter_by_created_timestamp=True)
    features = job.to_arrow()
    if features.num_rows != rows.num_rows:
        raise DataContractError(
            f"{pipeline.name}: retrieval returned {features.num_rows} rows for {rows.num_rows} examples"
        )
    key = pipeline.prediction.entity_key
    features = arrays.flatten(features, feature_store.array_features(pipeline, settings).values(), key=[key])
    names = feature_store.feature_names(pipeline, settings)
    frame: pd.DataFrame = (
        features.select([key, "event_timestamp", *names]).rename_columns([key, "decision_time", *names]).to_pandas()
    )
    return frame


def _without_copy(kind: pa.DataType) -> pd.ArrowDtype | None:
    """Feast takes a pandas frame: its columns stay Arrow's, but for timestamps, which it looks for by pandas' type."""
    return None if pa.types.is_timestamp(kind) else pd.ArrowDtype(kind)


def _section(pipeline: Pipeline, name: str, settings: Settings) -> sections.Section:
    return next(item for item in sections.read_sections(pipeline, settings) if item.name == name)
