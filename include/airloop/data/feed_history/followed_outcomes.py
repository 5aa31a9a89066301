"""Do outcomes still follow from the inputs? Labels of other rows, and turned ones, have the rate that they had.

On the rows kept of the windows before (see explained_rates) a linear model (ridge) is fitted, which orders the rows of
this window; the measure is the area under its ROC curve (AUC): .5 where inputs say nothing. It counts only where the
same was told of every window before by the others.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from airloop.data.feed_history.explained_rates import Sample
from airloop.data.feed_history.outcome_rates import MOST_VALUES

Floats = npt.NDArray[np.float64]

_LEAST_WINDOWS, _MOST_WINDOWS, _LEAST_ROWS, _LEAST_OF_EACH = 4, 14, 60, 15
_LEAST_TOLD, _LEAST_MEAN = 0.55, 0.62
_FALLS, _DEVIATIONS = 0.6, 4.0
"""It has to fall by so much of what it was above .5, and by so many of its usual moves."""
_RIDGE = 0.05


@dataclass(frozen=True)
class Fallen:
    """The AUC now, and the least of the windows before; `turned` where the order runs the other way."""

    observed: float
    expected: float
    turned: bool


def of(past: Sequence[Sample], window: Sample, outcome: str) -> Fallen | None:
    """As `find`, of the numbers above the median of the windows before, or of the second commonest value of a few."""
    values = [value for sample in past for value in sample.outcomes.get(outcome, ()) if value is not None]
    if not values:
        return None
    numbered = Counter(values).most_common(MOST_VALUES + 1)
    if len(numbered) > MOST_VALUES:
        middle = _median(values)
        return None if middle is None else find(past, window, outcome, lambda value: float(value) > middle)
    if len(numbered) < 2:
        return None
    return find(past, window, outcome, lambda value: value == numbered[1][0])


def _median(values: Sequence[Any]) -> float | None:
    """Of whole numbers, which a sample keeps as texts."""
    try:
        return float(np.median([float(value) for value in values]))
    except ValueError:
        return None


def find(past: Sequence[Sample], window: Sample, outcome: str, has: Callable[[Any], bool]) -> Fallen | None:
    """Whether inputs that always told an outcome no longer do.

    Args:
        has: Whether an outcome's value counts.
    """
    columns = [name for name in window.inputs if all(name in sample.inputs for sample in past)]
    parts = [_part(sample, outcome, columns, has) for sample in past if outcome in sample.outcomes]
    parts, now = (
        [part for part in parts if _says_something(part)][-_MOST_WINDOWS:],
        _part(window, outcome, columns, has),
    )
    if not columns or len(parts) < _LEAST_WINDOWS or not _says_something(now):
        return None
    areas = np.array([_auc(_without(parts, place), part) for place, part in enumerate(parts)])
    if areas.min() < _LEAST_TOLD or areas.mean() < _LEAST_MEAN:
        return None
    area, mean = _auc(parts, now), float(areas.mean())
    positives = int(now[1].sum())
    by_chance = float(np.sqrt((1 / positives + 1 / (now[1].size - positives)) / 12))
    usual = float(np.hypot(areas.std(ddof=1), by_chance))
    if mean - area < max(_FALLS * (mean - 0.5), _DEVIATIONS * usual) or area >= areas.min():
        return None
    return Fallen(area, float(areas.min()), turned=0.5 - area >= _FALLS * (mean - 0.5))


Part = tuple[Floats, Floats]
"""Inputs of some rows, and 1 for those that have the outcome, else 0."""


def _part(sample: Sample, outcome: str, columns: Sequence[str], has: Callable[[Any], bool]) -> Part:
    values = sample.outcomes.get(outcome, ())
    known = np.array([value is not None for value in values], dtype=bool)
    inputs = np.array([[np.nan if item is None else item for item in sample.inputs[name]] for name in columns])
    outcomes = np.array([float(has(value)) for value in values if value is not None])
    return (inputs.T[known] if known.size else np.empty((0, len(columns)))), outcomes


def _says_something(part: Part) -> bool:
    positives = part[1].sum()
    return part[1].size >= _LEAST_ROWS and min(positives, part[1].size - positives) >= _LEAST_OF_EACH


def _without(parts: Sequence[Part], place: int) -> list[Part]:
    return [part for number, part in enumerate(parts) if number != place]


def _auc(parts: Sequence[Part], part: Part) -> float:
    """How well a model of some parts orders the rows of another one."""
    rows, outcomes = np.vstack([each[0] for each in parts]), np.concatenate([each[1] for each in parts])
    usable = np.isfinite(rows).sum(axis=0) > rows.shape[0] / 2
    if not usable.any():
        return 0.5
    low, high = np.nanquantile(rows[:, usable], (0.01, 0.99), axis=0)
    middle, width = np.nanmean(rows[:, usable], axis=0), np.maximum(np.nanstd(rows[:, usable], axis=0), 1e-12)

    def scaled(values: Floats) -> Floats:
        inside: Floats = np.nan_to_num((np.clip(values[:, usable], low, high) - middle) / width, nan=0.0)
        return inside

    inputs = scaled(rows)
    gram = inputs.T @ inputs + _RIDGE * len(outcomes) * np.eye(inputs.shape[1])
    weights = np.linalg.solve(gram, inputs.T @ (outcomes - outcomes.mean()))
    return _area(scaled(part[0]) @ weights, part[1])


def _area(scores: Floats, outcomes: Floats) -> float:
    """Mann and Whitney's U as a share, ties counted half."""
    order = np.argsort(scores, kind="stable")
    ranks = np.empty(scores.size)
    ranks[order] = np.arange(1, scores.size + 1)
    values, places = np.unique(scores, return_inverse=True)
    ranks = (np.bincount(places, ranks) / np.bincount(places))[places] if values.size < scores.size else ranks
    positives = outcomes.sum()
    above = ranks[outcomes > 0].sum() - positives * (positives + 1) / 2
    return float(above / (positives * (outcomes.size - positives)))
