"""Alarms about a champion's own figures: its metrics, its calibration, its predictions.

They hold triage for one window, not trainings: where the next window shows them again with nothing wrong in the data,
the world has changed, and a training is the answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from airloop.config import METRICS, Floor, Pipeline
from airloop.models import evidence
from airloop.problems import PREDICTION, Floats
from airloop.records import Alarm, Monitored
from airloop.watch import influence
from airloop.watch.drift import Drift
from airloop.watch.influence import ModelOnRows
from airloop.watch.past import ChampionPast

LOSS_RATIO = 1.5
"""A loss leaves its past when the good end of its interval is above this many times the worst one there."""
GAP_RATIO, GAP_OF_SPREAD = 2.0, 0.25
"""A calibration gap leaves its past above twice the largest one there and a quarter of the labels' deviation."""
PREDICTION_PSI, PSI_RATIO = 0.2, 1.5
"""Predictions leave their past from this score on, and above this many times the largest one there."""

_MOVED_ALONG = 0.5
_ALONE = 0.75
_LEANS_ON = 0.5
_FEWEST_DAYS = 5
_CHANCE = {"roc_auc": 0.5}
_NEXT = "If the data are right, the next window decides; answer it sooner by `airloop alarms answer`"


def performance(pipeline: Pipeline, monitored: Monitored, past: ChampionPast) -> list[Alarm]:
    """`performance`, of each metric that is beyond a floor of the gate, or worse than the champion ever was.

    A floor is a promise, so the metric itself must keep it: beyond it alarms, once policy.min_rows rows on
    policy.min_blocks days were judged; with fewer, the good end of its interval must be beyond. Worse than ever is a
    loss (of a score: 1 - score) whose good end is above LOSS_RATIO times the worst of the holdout and the windows
    before. A ROC-AUC whose good end is below 0.5 says that labels mean the opposite now: nothing is trained on them.
    """
    noticed = []
    for metric in past.task.metrics:
        value, good = monitored.live.get(metric), _good_end(metric, monitored)
        if value is None:
            continue
        says = _beyond_floor(pipeline, monitored, metric, good) or _worse_than_ever(metric, good, past.metric(metric))
        if says:
            turned = good is not None and good < _CHANCE.get(metric, -np.inf)
            hint = (
                "Worse than chance: do the labels mean the opposite now? Nothing is trained on them"
                if turned
                else _NEXT
            )
            known = past.metric(metric)
            noticed.append(
                Alarm(
                    kind="performance",
                    subject=metric,
                    says=f"{METRICS[metric].title} is {value:.4f}{_interval(metric, monitored)}, {says}. {hint}.",
                    observed=value,
                    expected=known[0] if known else None,
                    holds_training=turned,
                )
            )
    return noticed


def _good_end(metric: str, monitored: Monitored) -> float | None:
    return monitored.live.get(f"{metric}_upper" if METRICS[metric].sign > 0 else f"{metric}_lower")


def _interval(metric: str, monitored: Monitored) -> str:
    lower, upper = (monitored.live.get(f"{metric}{end}") for end in ("_lower", "_upper"))
    return "" if lower is None or upper is None else f" [{lower:.4f}, {upper:.4f}]"


def _beyond_floor(pipeline: Pipeline, monitored: Monitored, metric: str, good: float | None) -> str:
    # Bounds exist from policy.min_blocks days on.
    enough = monitored.labelled_rows >= pipeline.monitoring.policy.min_rows and good is not None
    value = monitored.live[metric] if enough else good
    for floor in pipeline.gate.floors:
        if floor.metric == metric and value is not None and not _keeps(floor, value):
            bound = floor.at_least if floor.at_least is not None else floor.at_most
            return f"beyond the floor of the gate, {'at least' if floor.at_least is not None else 'at most'} {bound:g}"
    return ""


def _keeps(floor: Floor, value: float) -> bool:
    if floor.at_least is not None:
        return value >= floor.at_least
    return floor.at_most is not None and value <= floor.at_most


def _worse_than_ever(metric: str, good: float | None, known: Sequence[float]) -> str:
    if good is None or not known:
        return ""
    score = METRICS[metric].sign > 0
    loss, losses = (1 - good, [1 - value for value in known]) if score else (good, list(known))
    if loss <= LOSS_RATIO * max(losses):
        return ""
    worst = min(known) if score else max(known)
    return f"the worst of its holdout and the {len(known) - 1} windows before was {worst:.4f}"


def calibration(judged: pd.DataFrame, monitored: Monitored, past: ChampionPast) -> list[Alarm]:
    """`calibration`, when predictions are off on average by more than they were and than days differ.

    The gap less two standard errors (of day sums) must be above GAP_RATIO times the largest of holdout and windows
    before, and above GAP_OF_SPREAD of the labels' deviation.
    """
    gap, error = monitored.calibration_gap, _error_of_gap(judged, past)
    if gap is None or error is None or past.spread is None:
        return []
    usual = max((abs(value) for value in past.gaps()), default=0.0)
    if abs(gap) - 2 * error <= max(GAP_RATIO * usual, GAP_OF_SPREAD * past.spread):
        return []
    says = (
        f"{past.task.gap_title} is {gap:+.4f}, at most {usual:.4f} either way on its holdout and in the windows before"
    )
    hint = "Do the labels, or a feature, mean something else now?"
    return [Alarm("calibration", "prediction", f"{says}. {hint} {_NEXT}.", gap, usual, holds_training=False)]


def _error_of_gap(judged: pd.DataFrame, past: ChampionPast) -> float | None:
    """Standard error of the mean gap, rows of a day taken together; None with fewer than 5 days."""
    if len(judged) < evidence.MIN_ROWS or evidence.blocks(evidence.utc_days(judged["decision_time"])) < _FEWEST_DAYS:
        return None
    predicted = past.task.from_column(judged[PREDICTION])
    off = past.task.gaps(judged["label"].to_numpy(dtype="float64"), predicted)
    days = evidence.utc_days(judged["decision_time"])
    sums = pd.Series(off - off.mean()).groupby(days).sum()
    return float(np.sqrt((sums**2).sum()) / len(judged))


@dataclass(frozen=True)
class Predicted:
    """What a question about moved predictions needs.

    Attributes:
        judged: Labelled and predicted rows of the window.
        held_out: The holdout's features, and `then` its predictions as drift compares them.
    """

    judged: pd.DataFrame
    on_rows: ModelOnRows
    held_out: pd.DataFrame
    then: pd.Series


def prediction_drift(measured: Drift, predicted: Predicted, past: ChampionPast) -> list[Alarm]:
    """`prediction_drift`, when predictions have left the holdout's and no outcome explains it.

    Their score is at least PREDICTION_PSI and above PSI_RATIO times the largest in the windows before; and either the
    labels have not moved along, at least half as far, or one feature alone explains three quarters of it, which the
    model does not lean on by more than half. A feature that moves what it did not use to move is more often an error
    than a season, so nothing is trained on it until somebody answers; unless the labels have moved three quarters as
    far as the predictions: then the feature was right.
    """
    score = measured.prediction.score
    usual = max(past.prediction_psis(), default=0.0)
    if score is None or not measured.prediction.drifted or score < PREDICTION_PSI or score <= PSI_RATIO * usual:
        return []
    says = f"predictions are far from those of the holdout: PSI {score:.3f}, at most {usual:.3f} in the windows before"
    moved_along = outcomes_moved_along(predicted.judged, past)
    cause = _single_cause(predicted) if moved_along < _ALONE else ""
    if cause:
        says += f"; feature {cause} alone explains it. Has its unit or its meaning changed?"
        return [
            Alarm("prediction_drift", cause, f"{says} Nothing is trained on it until that is answered.", score, usual)
        ]
    if moved_along >= _MOVED_ALONG:
        return []
    says = f"{says}, and the outcomes have not moved along. {_NEXT}."
    return [Alarm("prediction_drift", "prediction", says, score, usual, holds_training=False)]


def _single_cause(predicted: Predicted) -> str:
    shares = influence.explained_shares(predicted.on_rows, predicted.held_out, predicted.then)
    name = max(shares, key=lambda feature: shares[feature], default="")
    if not name or shares[name] < _ALONE:
        return ""
    held_out = predicted.held_out
    held_out_rows = ModelOnRows(**{**vars(predicted.on_rows), "rows": held_out})
    weights = influence.weights(held_out_rows, held_out_rows.features)
    return name if weights[name] < _LEANS_ON * sum(weights.values()) else ""


def outcomes_moved_along(judged: pd.DataFrame, past: ChampionPast) -> float:
    """How far mean labels have moved from the holdout's, as a share of how far mean predictions have, their way.

    Of a multiclass task both are vectors, one number a class, and the labels' is projected on the predictions'. With
    fewer than 30 rows on a side nothing is explained: 0. Where predictions have not moved on average: 1.
    """
    if min(len(judged), len(past.holdout)) < evidence.MIN_ROWS:
        return 0.0
    sides = (judged, past.holdout)
    predicted = [past.task.mean_prediction(past.task.from_column(side[PREDICTION])) for side in sides]
    labels: list[Floats] = [past.task.mean_label(side["label"].to_numpy(dtype="float64")) for side in sides]
    moved = predicted[0] - predicted[1]
    distance = float(np.dot(moved, moved))
    return float(np.dot(labels[0] - labels[1], moved)) / distance if distance > 0 else 1.0
