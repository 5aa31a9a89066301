"""Drift: how far the rows of a window are from the champion's training rows, one score per feature."""

from collections.abc import Collection
from dataclasses import dataclass, field

import pandas as pd

from airloop.watch import bins, psi
from airloop.watch.bins import Binned

MIN_ROWS = 100
"""With fewer rows on a side nothing is judged; with fewer values on a side only how many are missing."""

_MOSTLY_UNSEEN = 0.5


@dataclass(frozen=True)
class ColumnDrift:
    """One column, compared.

    Attributes:
        score: PSI less what chance alone explains; None where the column was not judged.
        drifted: The score reaches the threshold, and is more than chance explains at these numbers of rows.
        not_judged: Why there is no score; empty when there is one.
        missing_shares: Share of rows without a value, then and now; None with fewer than MIN_ROWS on a side.
        new_share: Of categories: share of values now that the reference has not met, beyond what is expected of it.
    """

    score: float | None = None
    drifted: bool = False
    not_judged: str = ""
    missing_shares: tuple[float, float] | None = None
    new_share: float = 0.0


@dataclass(frozen=True)
class Drift:
    """What changed between reference and current rows.

    Attributes:
        columns: Feature -> what was measured.
        prediction: The same of the predictions.
        share: Drifted share of the features that count and were judged; None when there is none.
        drifted: Features that count and have drifted, largest score first.
        empty: Features without any value now.
    """

    columns: dict[str, ColumnDrift]
    prediction: ColumnDrift
    share: float | None
    drifted: tuple[str, ...]
    empty: tuple[str, ...]

    @property
    def psi(self) -> dict[str, float]:
        """Feature -> score, of every one that was judged."""
        return {name: column.score for name, column in self.columns.items() if column.score is not None}

    @property
    def missing_shares(self) -> dict[str, float]:
        """Feature -> share of rows without a value now; nothing with fewer than MIN_ROWS on a side."""
        return {name: column.missing_shares[1] for name, column in self.columns.items() if column.missing_shares}

    @property
    def not_judged(self) -> dict[str, str]:
        """Feature -> why it was not judged."""
        return {name: column.not_judged for name, column in self.columns.items() if column.not_judged}


@dataclass(frozen=True)
class Sides:
    """The rows of one side: features as a frame, predictions (numbers or names of classes) of possibly other rows.

    Attributes:
        categories: The features that are declared as something else than numbers.
    """

    features: pd.DataFrame
    predictions: pd.Series
    categories: Collection[str] = field(default=())


def measure(reference: Sides, current: Sides, *, ignore: Collection[str], threshold: float) -> Drift:
    """Compare two sides, column by column, on all their rows.

    Args:
        reference: Its frame's columns are the features, its `categories` say how each is compared; the current one has
            the same columns.
        ignore: Features left out of share and drifted: their drift is expected.
        threshold: A feature has drifted when its score >= threshold and chance does not explain it.
    """
    names = list(reference.features.columns)
    columns = {
        name: _compared(
            reference.features[name], current.features[name], category=name in reference.categories, threshold=threshold
        )
        for name in names
    }
    judged = {name: column for name, column in columns.items() if column.score is not None and name not in ignore}
    drifted = sorted(
        (name for name, column in judged.items() if column.drifted), key=lambda name: -(columns[name].score or 0.0)
    )
    return Drift(
        columns=columns,
        prediction=of_predictions(reference.predictions, current.predictions, threshold=threshold),
        share=len(drifted) / len(judged) if judged else None,
        drifted=tuple(drifted),
        empty=tuple(name for name in names if len(current.features) and current.features[name].isna().all()),
    )


def of_predictions(then: pd.Series, now: pd.Series, *, threshold: float) -> ColumnDrift:
    """Predictions, compared; those of unscored rows are gaps and left out."""
    category = not all(pd.api.types.is_numeric_dtype(side) for side in (then, now))
    return _compared(then.dropna(), now.dropna(), category=category, threshold=threshold)


def _compared(then: pd.Series, now: pd.Series, *, category: bool, threshold: float) -> ColumnDrift:
    fewest = min(len(then), len(now))
    if fewest < MIN_ROWS:
        return ColumnDrift(not_judged=f"{fewest} rows on a side, at least {MIN_ROWS} are needed")
    binned = bins.categories(then, now) if category else bins.numbers(then, now)
    missing = binned.missing_shares
    if max(binned.values) == 0:
        return ColumnDrift(not_judged="no value on either side", missing_shares=missing)
    if min(binned.values) < MIN_ROWS:
        return _by_presence(binned, threshold)
    if binned.unseen_share >= _MOSTLY_UNSEEN:
        return ColumnDrift(not_judged="most values occur once, like an id's", missing_shares=missing)
    shift = psi.shift(binned)
    new = max(binned.new_share - binned.unseen_share, 0.0)
    return ColumnDrift(shift.score, shift.reaches(threshold), missing_shares=missing, new_share=new)


def _by_presence(binned: Binned, threshold: float) -> ColumnDrift:
    """Too few values to compare them: whether there are as many as before can still be told."""
    shift = psi.shift(binned.of_presence())
    if shift.reaches(threshold):
        return ColumnDrift(shift.score, drifted=True, missing_shares=binned.missing_shares)
    why = f"{min(binned.values)} values on a side, at least {MIN_ROWS} are needed"
    return ColumnDrift(not_judged=why, missing_shares=binned.missing_shares)
