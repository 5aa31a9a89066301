"""materialize: the newest value of each key of a window into the online store, then read back and compared."""

import contextlib
import io
import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from airloop.config import Pipeline
from airloop.deployment import Deployment
from airloop.errors import DataContractError
from airloop.features import catalogue, feast_registry, feature_store
from airloop.features.online_expiry import expired_before
from airloop.records import Materialized, Validated, Window
from airloop.settings import Settings
from airloop.stores import lake, state

if TYPE_CHECKING:  # else Feast would be imported before its boot
    from feast import FeatureStore

_CHECKED_KEYS = 20
_EVER = datetime.min.replace(tzinfo=UTC)


def materialize(at: Deployment, window: Window, *, features: Validated) -> Materialized:
    """Write every view's newest value per key of the window online; an older window never overwrites a newer value.

    Sampled keys of the window are then read back: each value has to be the newest one that the lake knows of the
    windows materialized so far. Features built and not yet materialized do not count. Finally the pipeline's catalogue
    is rewritten.

    Args:
        features: The verdict that lets them go online.

    Raises:
        DataContractError: A value read back is another one.
        UpstreamUnavailable: The online store or the registry does not answer.
    """
    pipeline, settings = at.pipeline, at.settings
    store = feature_store.open_store(pipeline, settings)
    # Feast prints a coloured line per view.
    with contextlib.redirect_stdout(io.StringIO()), feature_store.answering(settings):
        store.materialize(window.start, window.end)
        feast_registry.merge_spans(store, feature_store.view_keys(pipeline, settings))
    later = Window(window.end, datetime.max.replace(tzinfo=UTC))
    rows_later = state.latest_records(settings, pipeline.name, "materialize", overlapping=later)
    done = [Materialized.from_json(row) for row in rows_later]
    newest = max([window, *(record.window for record in done)], key=lambda span: span.end)
    expired, rows, checked = expired_before(pipeline, settings, newest), {}, 0
    for view, keys in feature_store.view_keys(pipeline, settings).items():
        uri = lake.table_uri(settings, pipeline.name, "features", view)
        written = lake.read(uri, settings, where=lake.between("known_at", window), columns=[*keys])
        distinct = written.group_by(list(keys)).aggregate([])
        rows[view] = distinct.num_rows
        sample, since = _sample(distinct, pipeline), expired.get(view, _EVER)
        span = Window(window.start, newest.end)
        checked += _check(pipeline, store, view, sample, span=span, since=since, settings=settings)
    catalogue.publish(store, pipeline.name, settings)
    return Materialized(window=window, rows=rows, checked_keys=checked)


def _sample(distinct: pa.Table, pipeline: Pipeline) -> list[dict[str, Any]]:
    rows = sorted(distinct.to_pylist(), key=lambda row: str(sorted(row.items())))
    return random.Random(pipeline.training.seed).sample(rows, min(_CHECKED_KEYS, len(rows)))


def _check(
    pipeline: Pipeline,
    store: "FeatureStore",
    view: str,
    sample: list[dict[str, Any]],
    *,
    span: Window,
    since: datetime,
    settings: Settings,
) -> int:
    """Compare the online values of sampled keys with the newest in the lake, known before span.end or online.

    Args:
        span: From the window, in which each key has a row, to the end of the newest one materialized.
        since: A newest value known before it may be gone (`airloop maintain`), and an older one in its place.
    """
    features = feature_store.view_features(pipeline, settings).get(view, ())
    if not sample or not features:
        return 0
    references = [f"{view}:{name}" for name in features]
    with feature_store.answering(settings):
        online = store.get_online_features(references, entity_rows=sample).to_dict(include_event_timestamps=True)
    lake_rows = _lake_rows(pipeline, view, sample, settings, since=span.start)
    streamed = pipeline.streamed_views
    for position, key in enumerate(sample):
        # A killed run may have written a later window without a record of it; online instants are whole seconds.
        seen_at = datetime.fromtimestamp(online[f"{features[0]}__ts"][position] + 1, UTC)
        known = lake_rows[tuple(key.values())]
        newest = known[known["known_at"] < max(span.end, seen_at)].iloc[-1]
        # An event goes online before its window is built.
        ahead = view in streamed and seen_at > newest["known_at"]
        gone = seen_at < newest["known_at"] < since
        for name in features:
            stored, expected = online[name][position], newest[name]
            if not (ahead or gone or _same(stored, expected)):
                raise DataContractError(
                    f"online store: {view}.{name} of {key} is {stored}, the newest value known is {expected}; "
                    f"materialize the windows again in order"
                )
    return len(sample)


def _same(stored: Any, expected: Any) -> bool:
    """Whether two values are equal, arrays element by element; null and NaN equal each other."""
    if isinstance(stored, list) or isinstance(expected, np.ndarray):
        known = stored is not None and expected is not None
        return known and np.array_equal(np.asarray(stored, float), expected, equal_nan=True)
    return bool(stored == expected or (pd.isna(stored) and pd.isna(expected)))


def _lake_rows(
    pipeline: Pipeline, view: str, sample: list[dict[str, Any]], settings: Settings, *, since: datetime
) -> dict[Any, Any]:
    """Key -> the lake's rows of it that were known from `since` on, oldest first."""
    keys = list(sample[0])
    uri = lake.table_uri(settings, pipeline.name, "features", view)
    of_sample = pc.field(keys[0]).isin([row[keys[0]] for row in sample])
    rows = lake.read(uri, settings, where=of_sample & (pc.field("known_at") >= lake.instant(since))).to_pandas()
    return dict(iter(rows.sort_values(["known_at", "created_at"]).groupby(keys)))
