"""Leak check: take away every row not known yet, rebuild the features, and compare with those that were used."""

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa

from airloop.config import Pipeline
from airloop.errors import DataContractError
from airloop.features import arrays, examples, feature_store, feature_views, sections
from airloop.records import Window
from airloop.settings import Settings

_INSTANT_AFTER = timedelta(microseconds=1)
_TOLERANCE = 1e-9


class LeakFound(DataContractError):
    """A feature holds a value that was not known at the decision time."""


def check_leaks(pipeline: Pipeline, frame: pd.DataFrame, settings: Settings) -> tuple[datetime, ...]:
    """Rebuild the features of sampled decision times from what was known by then; any difference refuses.

    For each sampled time t the feeds lose every row with known_at > t, the views are computed again over
    [t - the longest ttl, t], and the newest value of each key within its ttl is compared with the used one.

    Args:
        frame: The feature frame of a snapshot (examples.feature_frame).

    Returns:
        The decision times that were rebuilt; drawn with training.seed, the same for the same frame.

    Raises:
        LeakFound: A used value differs from the rebuilt one; names the column (of an array, its element's),
            entity and both values.
    """
    times = pd.Series(frame["decision_time"].unique())
    # The first ones have no history behind them, so they could not show a leak.
    later = times[times >= times.quantile(0.1)]
    count = min(pipeline.training.leak_check_times, len(later))
    picked = random.Random(pipeline.training.seed).sample(sorted(later), count)
    for time in picked:
        instant = time.to_pydatetime()
        used = frame[frame["decision_time"] == time]
        _refuse_differences(pipeline, used, rebuild(pipeline, instant, settings), instant=instant, settings=settings)
    return tuple(time.to_pydatetime() for time in picked)


def rebuild(pipeline: Pipeline, instant: datetime, settings: Settings) -> dict[str, pa.Table]:
    """Every view's rows of the last ttl before `instant`, computed from rows with known_at <= instant only."""
    reach = max(view.ttl for view in feature_store.views(pipeline, settings) if view.ttl)
    window = Window(instant - reach, instant + _INSTANT_AFTER)
    feeds = sections.feeds_for(pipeline, window, settings, read_by=sections.feature_sections(pipeline, settings))
    return feature_views.compute_views(pipeline, window, sections.only_known_by(feeds, instant), settings)


def _refuse_differences(
    pipeline: Pipeline, used: pd.DataFrame, views: Mapping[str, pa.Table], *, instant: datetime, settings: Settings
) -> None:
    key = pipeline.prediction.entity_key
    rebuilt = examples.examples(pipeline, Window(instant, instant + _INSTANT_AFTER), settings).to_pandas()
    rebuilt = used[[key]].merge(rebuilt, on=key, how="left")
    ttls = {view.name: view.ttl for view in feature_store.views(pipeline, settings)}
    keys = feature_store.view_keys(pipeline, settings)
    declared = feature_store.array_features(pipeline, settings)
    for view, projected in feature_store.view_features(pipeline, settings).items():
        array_views = [declared[name] for name in projected if name in declared]
        rows = arrays.flatten(views[view], array_views, key=[*keys[view], "known_at"]).to_pandas()
        features = [flat for name in projected for flat in (declared[name].columns if name in declared else (name,))]
        fresh = rows[rows["known_at"] >= instant - (ttls[view] or timedelta.max)]
        newest = fresh.sort_values("known_at").drop_duplicates(list(keys[view]), keep="last")
        # Features may share a key's name with nothing but their own view's keys.
        honest = rebuilt[[key, *(name for name in keys[view] if name != key)]].merge(
            newest[list(dict.fromkeys([*keys[view], *features]))], on=list(keys[view]), how="left"
        )
        for feature in features:
            _compare(used[feature], honest[feature], feature=feature, keys=used[key].tolist(), instant=instant)


def _compare(used: pd.Series, honest: pd.Series, *, feature: str, keys: Sequence[str], instant: datetime) -> None:
    left, right = used.to_numpy(), honest.to_numpy()
    if pd.api.types.is_numeric_dtype(used):
        same = np.isclose(left.astype(float), right.astype(float), rtol=_TOLERANCE, atol=_TOLERANCE, equal_nan=True)
    else:
        same = (left == right) | (pd.isna(left) & pd.isna(right))
    if not same.all():
        at = int(np.argmin(same))
        raise LeakFound(
            f"leak: feature {feature!r} of {keys[at]} at {instant:%Y-%m-%dT%H:%MZ} was {left[at]}, but from what was "
            f"known by then it is {right[at]}: its SQL reads rows whose known_at lies after the row it makes (or rows "
            f"were corrected after it was built: run the data DAG for their window and those after it)"
        )
