"""Drift: how far the rows of a window are from the champion's training rows, one score per feature."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

import pandas as pd

from airloop.watch import bins, psi, words
from airloop.watch.bins import Binned, Bins
from airloop.watch.words import Words

MIN_ROWS = 100
"""With fewer rows on a side nothing is judged; with fewer values on a side only how many are missing."""


@dataclass(frozen=True)
class ColumnDrift:
    """One column, compared.

    Attributes:
        score: PSI less what chance alone explains; None where the column was not judged.
        drifted: The score reaches the threshold, and is more than chance explains at these numbers of rows.
        not_judged: Why there is no score; empty when there is one.
        missing_shares: Share of rows without a value, then and now; None with fewer than MIN_ROWS on a side.
        new_share: Of categories: share of values now that the reference has not met, beyond what is expected of it; of
            documents the mean share of such words.
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
        documents: Those of them that are read by their words (training.text).
    """

    features: pd.DataFrame
    predictions: pd.Series
    categories: Collection[str] = field(default=())
    documents: Collection[str] = field(default=())


@dataclass(frozen=True)
class Reference:
    """What rows of now are compared with: the bins of every feature, and predictions of possibly other rows."""

    columns: Mapping[str, Bins | Words]
    predictions: pd.Series


def reference(sides: Sides) -> Reference:
    """The reference that a side's rows are, each feature binned as `categories` and `documents` say."""
    return Reference(bins_of(sides.features, sides.categories, sides.documents), sides.predictions)


def bins_of(
    features: pd.DataFrame, categories: Collection[str], documents: Collection[str] = ()
) -> dict[str, Bins | Words]:
    """Feature -> its bins, of every column."""
    return {
        str(name): words.words(column) if name in documents else _binned(column, category=name in categories)
        for name, column in features.items()
    }


def measure(reference: Reference, current: Sides, *, ignore: Collection[str], threshold: float) -> Drift:
    """Compare rows of now with a reference, column by column, on all rows of both.

    Args:
        current: Its frame has the columns of the reference.
        ignore: Features left out of share and drifted: their drift is expected.
        threshold: A feature has drifted when its score >= threshold and chance does not explain it.
    """
    names = list(reference.columns)
    columns = {name: _of_column(reference.columns[name], current.features[name], threshold) for name in names}
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
    return _compared(_binned(then.dropna(), category=category), now.dropna(), threshold)


def _binned(then: pd.Series, *, category: bool) -> Bins:
    return bins.categories(then) if category else bins.numbers(then)


def _of_column(then: Bins | Words, now: pd.Series, threshold: float) -> ColumnDrift:
    return _of_documents(then, now, threshold) if isinstance(then, Words) else _compared(then, now, threshold)


def _compared(then: Bins, now: pd.Series, threshold: float) -> ColumnDrift:
    fewest = min(then.rows, len(now))
    if fewest < MIN_ROWS:
        return ColumnDrift(not_judged=f"{fewest} rows on a side, at least {MIN_ROWS} are needed")
    binned = then.beside(now)
    missing = binned.missing_shares
    if max(binned.values) == 0:
        return ColumnDrift(not_judged="no value on either side", missing_shares=missing)
    if min(binned.values) < MIN_ROWS:
        return _by_presence(binned, threshold)
    if binned.unseen_share >= bins.MOSTLY_UNSEEN:
        return ColumnDrift(not_judged="most values occur once, like an id's", missing_shares=missing)
    shift = psi.shift(binned)
    new = max(binned.new_share - binned.unseen_share, 0.0)
    return ColumnDrift(shift.score, shift.reaches(threshold), missing_shares=missing, new_share=new)


def _of_documents(then: Words, now: pd.Series, threshold: float) -> ColumnDrift:
    """How long documents are, and how many of their words are new: the one that has moved further."""
    lengths, shares = then.beside(now)
    by_length, by_words = _compared(then.lengths, lengths, threshold), _compared(then.shares, shares, threshold)
    worse = max(by_length, by_words, key=lambda column: (column.drifted, column.score or 0.0))
    new = 0.0 if by_words.score is None else max(float(shares.mean()) - then.new_share, 0.0)
    return replace(worse, missing_shares=by_length.missing_shares, new_share=new)


def _by_presence(binned: Binned, threshold: float) -> ColumnDrift:
    """Too few values to compare them: whether there are as many as before can still be told."""
    shift = psi.shift(binned.of_presence())
    if shift.reaches(threshold):
        return ColumnDrift(shift.score, drifted=True, missing_shares=binned.missing_shares)
    why = f"{min(binned.values)} values on a side, at least {MIN_ROWS} are needed"
    return ColumnDrift(not_judged=why, missing_shares=binned.missing_shares)
