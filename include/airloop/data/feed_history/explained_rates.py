"""Did what was known before say that the rate would move? A dry month has dry days before it, a fault has not.

Of every window a few hundred rows are kept: the numbers of an input feed beside the outcome that came of them. On those
of the windows before a logistic regression (ridge, numbers clipped to what was there) is fitted, which says what rate
this window's inputs lead to. Its word counts only where it would have told the rates of the windows before, each by
the others, better than their mean does: of inputs that say nothing, nothing is explained.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]

_MOST_ROWS, _MOST_COLUMNS = 240, 12
_LEAST_ROWS, _LEAST_WINDOWS, _MOST_WINDOWS = 60, 3, 14
_CLIPPED = (0.01, 0.99)
_RIDGE = 2.0
_BETTER = 0.7
"""A model's error on windows it has not seen, as a share of what their mean leaves (both in logits)."""
_ERRORS, _LEAST_ERROR = 2.0, 0.35
_SAMPLING = 2.5


@dataclass(frozen=True)
class Sample:
    """Rows of a window: input columns -> numbers (None where empty), outcome columns -> values, all of one length."""

    inputs: dict[str, tuple[float | None, ...]]
    outcomes: dict[str, tuple[Any, ...]]

    def to_json(self) -> list[Any]:
        """The sample as JSON-able values."""
        return [self.inputs, self.outcomes]

    @classmethod
    def from_json(cls, data: Sequence[Any]) -> "Sample":
        """Read what `to_json` wrote."""
        inputs, outcomes = ({name: tuple(values) for name, values in part.items()} for part in data)
        return cls(inputs, outcomes)


def sample_of(rows: pl.DataFrame, inputs: Sequence[str], outcomes: Mapping[str, str]) -> Sample | None:
    """Every n-th row with an outcome; None where there is no input or no outcome.

    Args:
        rows: In the order of their time.
        outcomes: Column of the rows -> its name in the feed.
    """
    known = (
        rows.filter(pl.any_horizontal(pl.col(name).is_not_null() for name in outcomes)) if outcomes else rows.head(0)
    )
    if not inputs or not known.height:
        return None
    some = known.gather_every(max(1, known.height // _MOST_ROWS)).head(_MOST_ROWS)
    numbers = some.select(pl.col(list(inputs)[:_MOST_COLUMNS]).cast(pl.Float64).round_sig_figs(5))
    return Sample(
        {name: tuple(numbers[name].fill_nan(None).to_list()) for name in numbers.columns},
        {
            named: tuple((some[name] if some[name].dtype.is_float() else some[name].cast(pl.String)).to_list())
            for name, named in outcomes.items()
        },
    )


@dataclass(frozen=True)
class Explanation:
    """The share that the inputs lead to, and the model's usual error in logits."""

    share: float
    error: float

    def covers(self, observed: float, rows: float) -> bool:
        """Whether a share among so many independent rows is what the inputs lead to."""
        within = abs(observed - self.share) <= _SAMPLING * self._by_chance(rows)
        return within or self._apart(observed, rows) <= _ERRORS * max(self.error, _LEAST_ERROR)

    def _by_chance(self, rows: float) -> float:
        return float(np.sqrt(self.share * (1 - self.share) / max(rows, 1.0)))

    def _apart(self, observed: float, rows: float) -> float:
        return abs(_logit(observed, rows) - _logit(self.share, rows))


def explain(past: Sequence[Sample], window: Sample, outcome: str, has: Any) -> Explanation | None:
    """What a window's inputs lead to, or None where they never said much about the outcome.

    Args:
        has: Whether an outcome's value counts, a function of it.
    """
    columns = [name for name in window.inputs if all(name in sample.inputs for sample in past)]
    parts = [_numbers(sample, outcome, columns, has) for sample in past if outcome in sample.outcomes]
    parts = [part for part in parts if part[1].size >= _LEAST_ROWS][-_MOST_WINDOWS:]
    now = _numbers(window, outcome, columns, has)
    if not columns or len(parts) < _LEAST_WINDOWS or now[1].size < _LEAST_ROWS:
        return None
    observed = np.array([_logit(float(hits.mean()), hits.size) for _, hits in parts])
    predicted = np.array(
        [_logit(_share(_without(parts, place), part[0]), part[1].size) for place, part in enumerate(parts)]
    )
    mean = np.array([_logit(float(np.concatenate([hits for _, hits in _without(parts, place)]).mean()), part[1].size)
                     for place, part in enumerate(parts)])  # fmt: skip
    error, without = (
        float(np.sqrt(np.mean((predicted - observed) ** 2))),
        float(np.sqrt(np.mean((mean - observed) ** 2))),
    )
    if without < _LEAST_ERROR or error > _BETTER * without:
        return None
    return Explanation(_share(parts, now[0]), error)


def _without(parts: Sequence[tuple[Floats, Floats]], place: int) -> list[tuple[Floats, Floats]]:
    return [part for number, part in enumerate(parts) if number != place]


def _numbers(sample: Sample, outcome: str, columns: Sequence[str], has: Any) -> tuple[Floats, Floats]:
    """Inputs (rows, columns) with NaN where empty, and 1.0 where the outcome counts; rows without one are left out."""
    values = sample.outcomes.get(outcome, ())
    inputs = np.array([sample.inputs[name] for name in columns], dtype=np.float64).reshape(len(columns), -1).T
    known = np.array([value is not None for value in values], dtype=bool)
    return inputs[: known.size][known], np.array([float(has(value)) for value in values if value is not None])


def _share(parts: Sequence[tuple[Floats, Floats]], inputs: Floats) -> float:
    """The mean prediction for some inputs of a model of the parts."""
    rows, hits = np.vstack([part for part, _ in parts]), np.concatenate([hits for _, hits in parts])
    if hits.min() == hits.max():
        return float(hits[0])
    rows, inputs = (np.where(np.isfinite(values), values, np.nan) for values in (rows, inputs))
    usable = np.isfinite(rows).sum(axis=0) > 1
    if not usable.any():
        return float(hits.mean())
    # Only here: few windows come this far, and the library takes a second to import.
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    low, high = np.nanquantile(rows[:, usable], _CLIPPED, axis=0)
    scaler, model = StandardScaler(), LogisticRegression(C=1 / _RIDGE, max_iter=500)
    model.fit(_no_gaps(scaler.fit_transform(np.clip(rows[:, usable], low, high))), hits)
    chances = model.predict_proba(_no_gaps(scaler.transform(np.clip(inputs[:, usable], low, high))))
    return float(chances[:, 1].mean())


def _no_gaps(scaled: Floats) -> Floats:
    """What is missing is as usual."""
    filled: Floats = np.nan_to_num(scaled, nan=0.0)
    return filled


def _logit(share: float, rows: float) -> float:
    count = share * rows
    return float(np.log((count + 0.5) / (rows - count + 0.5)))
