"""Alarms about what a window fed the champion: values and categories it did not learn, labels that are missing.

Each holds trainings on the window's rows until somebody answers: a model would learn the fault.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from airloop.config import OF_VALUES
from airloop.models import evidence
from airloop.problems import PREDICTION
from airloop.records import Alarm
from airloop.watch import influence
from airloop.watch.drift import ColumnDrift, Drift
from airloop.watch.influence import ModelOnRows
from airloop.watch.kept_reference import Counts
from airloop.watch.past import ChampionPast

MORE_MISSING, MORE_MOVED = 0.1, 0.02
"""A feature misses too much from this share of rows on, beyond training; or where that alone moves predictions this far
(in their standard deviations)."""
NEW_CATEGORIES = 0.1
"""A feature's categories are new from this share of its values on."""
UNLABELLED_RATIO, MORE_UNLABELLED = 1.5, 0.015
"""Labels are missing above this many times the largest share of the past, and this much more."""
ODDS_RATIO = 4.0
"""A class is another one when its odds are this many times those of every part of the past, or this part of them."""

_USED = 0.005
_FEWEST_OF_CLASS = 20


def missing_values(measured: Drift, on_rows: ModelOnRows) -> list[Alarm]:
    """`missing_values`, of each feature the model uses that misses more than in training; see MORE_MISSING."""
    more = {name: _more_missing(column) for name, column in measured.columns.items()}
    suspects = [name for name, share in more.items() if share > MORE_MOVED]
    weights = influence.weights(on_rows, suspects) if suspects else {}
    return [
        _missing(name, measured.columns[name])
        for name in suspects
        if weights[name] >= _USED and (more[name] >= MORE_MISSING or more[name] * weights[name] >= MORE_MOVED)
    ]


def _more_missing(column: ColumnDrift) -> float:
    if column.missing_shares is None:
        return 0.0
    return column.missing_shares[1] - column.missing_shares[0]


def _missing(name: str, column: ColumnDrift) -> Alarm:
    then, now = column.missing_shares or (0.0, 0.0)
    says = (
        f"{name} is missing in {now:.1%} of rows, in training in {then:.1%}, and the champion uses it. Which files "
        "or values has its feed not delivered?"
    )
    return Alarm("missing_values", name, says, now, then)


def new_categories(measured: Drift, on_rows: ModelOnRows) -> list[Alarm]:
    """`new_categories`, of each feature the model uses with NEW_CATEGORIES of its values unknown to training.

    Of a text its words are its values.
    """
    new = {name: column.new_share for name, column in measured.columns.items() if column.new_share >= NEW_CATEGORIES}
    weights = influence.weights(on_rows, list(new)) if new else {}
    return [
        Alarm(
            "new_categories",
            name,
            f"{share:.1%} of the values of {name} were never met in training, and the champion uses it. Are they "
            "spelled another way now?",
            share,
            0.0,
        )
        for name, share in new.items()
        if weights[name] >= _USED
    ]


def labels_missing(rows: pd.DataFrame, known: Counts, past: ChampionPast) -> list[Alarm]:
    """`labels_missing`, when more scored rows lack their label than ever; see UNLABELLED_RATIO. Of anomalies never.

    Rows of a day share their fate (a storm cancels many of them), so two standard errors are granted too: of so many
    rows, on so many days that differ as those of the snapshot do.

    Args:
        rows: The window's rows, with label and prediction.
        known: What is known of the champion's snapshot.
    """
    scored = rows[rows[PREDICTION].notna()]
    if len(scored) < evidence.MIN_ROWS or past.task.learns_without_labels:
        return []
    share = float(scored["label"].isna().mean())
    parts = [part.unlabelled / part.rows for part in known.parts]
    usual = max([*parts, *past.unlabelled_shares()], default=0.0)
    days = evidence.blocks(evidence.utc_days(scored["decision_time"]))
    error = float(np.sqrt(known.variance_of_days / days + usual * (1 - usual) / len(scored)))
    if share <= UNLABELLED_RATIO * usual + MORE_UNLABELLED + 2 * error:
        return []
    says = (
        f"{share:.1%} of scored rows have no label, at most {usual:.1%} before. Which outcome files are missing or cut?"
    )
    return [Alarm("labels_missing", "label", says, share, usual)]


def label_rate(judged: pd.DataFrame, known: Counts, past: ChampionPast) -> list[Alarm]:
    """`label_rate`, of each class far more or far less frequent than in training and holdout; see ODDS_RATIO.

    A value has no rate: of a regression, or of quantiles, the calibration says whether labels are of another size.
    """
    if past.task.kind in OF_VALUES or len(judged) < evidence.MIN_ROWS:
        return []
    labels, labelled = judged["label"], [part for part in known.parts if part.rows > part.unlabelled]
    now = [int((labels == number).sum()) for number in (range(len(past.task.classes)) if past.task.classes else (1,))]
    return [
        alarm
        for place, count in enumerate(now)
        for alarm in _of_class(
            past.task.classes[place] if past.task.classes else "1",
            (count, len(labels)),
            [(part.of_class[place], part.rows - part.unlabelled) for part in labelled],
        )
    ]


def _of_class(name: str, now: tuple[int, int], parts: list[tuple[int, int]]) -> Iterator[Alarm]:
    """Of a class: its rows and all labelled rows, now and in every part."""
    before, share, rows = [_odds(*part) for part in parts], now[0] / now[1], now[1]
    shares = [count / labelled for count, labelled in parts]
    if not before or max([share, *shares]) * rows < _FEWEST_OF_CLASS:
        return
    odds = _odds(*now)
    if odds > ODDS_RATIO * max(before) or odds < min(before) / ODDS_RATIO:
        known = f"{min(shares):.1%} to {max(shares):.1%}" if len(set(shares)) > 1 else f"{shares[0]:.1%}"
        says = f"label {name} has a share of {share:.1%}, before {known}. Has the outcome's unit or spelling changed?"
        yield Alarm("label_rate", name, says, share, shares[0])


def _odds(count: int, rows: int) -> float:
    """With half a row on either side, so that none and all have odds too."""
    return (count + 0.5) / (rows - count + 0.5)
