"""materialize: the newest value of each key of a window into the online store, then read back and compared."""

import contextlib
import io
import random
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from feast import FeatureStore

from airloop import feature_store, lake
from airloop.config import Pipeline
from airloop.errors import DataContractError
from airloop.records import Materialized, Window
from airloop.settings import Settings

_CHECKED_KEYS = 20


def materialize(pipeline: Pipeline, window: Window, _upstream: Any, settings: Settings) -> Materialized:
    """Write every view's newest value per key of the window online; an older window never overwrites a newer value.

    Raises:
        DataContractError: A value read back is not the newest one known in the lake.
    """
    store = feature_store.open_store(pipeline, settings)
    with contextlib.redirect_stdout(io.StringIO()):  # Feast prints a coloured line per view
        store.materialize(window.start, window.end)
    rows, checked = {}, 0
    for view, keys in feature_store.view_keys(pipeline, settings).items():
        uri = lake.table_uri(settings, pipeline.name, "features", view)
        written = lake.read(uri, settings, where=lake.between("known_at", window), columns=[*keys])
        distinct = written.group_by(list(keys)).aggregate([])
        rows[view] = distinct.num_rows
        checked += _check(pipeline, store, view, _sample(distinct, pipeline), settings=settings)
    return Materialized(window=window, rows=rows, checked_keys=checked)


def _sample(distinct: pa.Table, pipeline: Pipeline) -> list[dict[str, Any]]:
    rows = sorted(distinct.to_pylist(), key=lambda row: str(sorted(row.items())))
    return random.Random(pipeline.training.seed).sample(rows, min(_CHECKED_KEYS, len(rows)))


def _check(
    pipeline: Pipeline, store: FeatureStore, view: str, sample: list[dict[str, Any]], *, settings: Settings
) -> int:
    """Compare the online values of sampled keys with the newest known in the lake, over all windows."""
    if not sample:
        return 0
    features = feature_store.view_features(pipeline, settings).get(view, ())
    online = store.get_online_features([f"{view}:{name}" for name in features], entity_rows=sample).to_dict()
    newest = _newest(pipeline, view, sample, settings)
    for position, key in enumerate(sample):
        for name in features:
            seen, known = online[name][position], newest[tuple(key.values())][name]
            if not (seen == known or (pd.isna(seen) and pd.isna(known))):
                raise DataContractError(
                    f"online store: {view}.{name} of {key} is {seen!r}, the newest value known is {known!r}; "
                    f"materialize the windows again in order"
                )
    return len(sample)


def _newest(pipeline: Pipeline, view: str, sample: list[dict[str, Any]], settings: Settings) -> dict[Any, Any]:
    keys = list(sample[0])
    uri = lake.table_uri(settings, pipeline.name, "features", view)
    wanted = [row[keys[0]] for row in sample]
    rows = lake.read(uri, settings, where=pc.field(keys[0]).isin(wanted)).to_pandas()
    newest = rows.sort_values(["known_at", "created_at"]).drop_duplicates(keys, keep="last")
    return {tuple(row[key] for key in keys): row for row in newest.to_dict("records")}
