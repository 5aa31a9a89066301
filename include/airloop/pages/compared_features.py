"""Features of live requests beside those of the training set: the middle, the tails, what is missing or new."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from airloop.settings import Settings

_ROWS = 20_000


@dataclass(frozen=True)
class ComparedFeature:
    """One feature; of a text `live` and `trained` are None.

    Attributes:
        live: 10th, 50th, 90th percentile of the values that are there; `trained` likewise.
        missing: Share of live rows without a value; `missing_trained` likewise.
        unseen: Of a text: share of live values that no training row has, beyond what is expected of it: where most
            values occur once, most of the next ones are new, too (Good 1953).
        far: Whether the live median lies outside of the trained 10th to 90th percentile, or more than a tenth of the
            rows are missing or unseen that were not.
    """

    name: str
    live: tuple[float, float, float] | None
    trained: tuple[float, float, float] | None
    missing: float
    missing_trained: float
    unseen: float
    far: bool


def compared(
    settings: Settings, snapshot: Mapping[str, Any], live: Sequence[Mapping[str, Any]]
) -> list[ComparedFeature]:
    """Each feature of a training set that live rows have; empty where its file is not there any more."""
    if not snapshot.get("uri") or not live:
        return []
    names = [name for name in snapshot["features"] if name in live[0]]
    try:
        with fsspec.open(snapshot["uri"], "rb", **settings.storage_options) as file:
            trained = pq.read_table(file, columns=names, filters=[("part", "=", "train")])
    except (OSError, ValueError, pa.ArrowException):
        return []
    trained = trained.slice(max(0, trained.num_rows - _ROWS))
    return [_feature(name, [row.get(name) for row in live], trained.column(name).to_pylist()) for name in names]


def _feature(name: str, live: Sequence[Any], trained: Sequence[Any]) -> ComparedFeature:
    now, then = ([value for value in values if value is not None and value == value] for values in (live, trained))
    missing, before = (1 - len(there) / max(1, len(values)) for there, values in ((now, live), (then, trained)))
    late = missing - before > 0.1
    if any(isinstance(value, str) for value in (*now[:1], *then[:1])):
        known = Counter(then)
        expected = sum(rows == 1 for rows in known.values()) / max(1, len(then))
        unseen = max(0.0, sum(value not in known for value in now) / max(1, len(now)) - expected)
        return ComparedFeature(name, None, None, missing, before, unseen, far=late or unseen > 0.1)
    mine, theirs = _quantiles(now), _quantiles(then)
    outside = mine is not None and theirs is not None and not theirs[0] <= mine[1] <= theirs[2]
    return ComparedFeature(name, mine, theirs, missing, before, 0.0, far=late or outside)


def _quantiles(values: Sequence[Any]) -> tuple[float, float, float] | None:
    if not values:
        return None
    low, middle, high = np.quantile(np.asarray(values, dtype="float64"), [0.1, 0.5, 0.9])
    return float(low), float(middle), float(high)
