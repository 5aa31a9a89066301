"""From which probability on a binary prediction is acted on, chosen on the folds by what wrong decisions cost.

For calibrated probabilities false_positive / (false_positive + false_negative) costs least (Elkan 2001). Where a model
says too much or too little, another threshold does: the one that was cheapest on rows it had not seen (Sheng & Ling
2006, "Thresholding for making classifiers cost-sensitive"). It is taken only where the folds surely save by it, paired
over calendar days as the gate compares, each fold judged at the threshold that is cheapest on the others: the cheapest
of one sample is mostly luck.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from airloop.config import Pipeline
from airloop.errors import DataContractError
from airloop.models import evidence, vote
from airloop.models.bootstrap import Bootstrap, gate_bootstrap
from airloop.models.decision_threshold import KEY
from airloop.models.folds import folds
from airloop.models.partners import alone, partner_of
from airloop.models.soft_vote import mean
from airloop.problems import Floats, Integers
from airloop.records import Record, TunedCandidate


@dataclass(frozen=True)
class ChosenThreshold(Record):
    """What the folds said.

    Attributes:
        calibrated: The threshold for calibrated probabilities.
        cheapest: The one that is cheapest on the rows of all folds.
        threshold: The one of them that is used.
        without: Cost per 1,000 rows of each fold at `calibrated`.
        using: The same at what is cheapest on the other folds; empty with one fold.
    """

    calibrated: float
    cheapest: float
    threshold: float
    without: tuple[float, ...]
    using: tuple[float, ...]


def declared_costs(pipeline: Pipeline) -> Any:
    """The gate's rule `cost` of a binary task, which says what wrong decisions cost; None where there is none."""
    declared = next((rule for rule in pipeline.gate.rules if rule.kind == "cost"), None)
    return declared.build() if declared is not None and pipeline.prediction.task == "binary" else None


def with_threshold(best: TunedCandidate, chosen: ChosenThreshold) -> TunedCandidate:
    """What is trained, with the threshold among its parameters."""
    return replace(best, params={**best.params, KEY: chosen.threshold})


def chosen_threshold(
    pipeline: Pipeline, best: TunedCandidate, rows: pd.DataFrame, answers: Mapping[str, Sequence[Floats]]
) -> ChosenThreshold | None:
    """The threshold of what was chosen; None where no costs are declared.

    Args:
        best: With its partner among the parameters where two answer together.
        rows: Those that were searched on, by decision_time.
        answers: By family what its parameters said of each fold (airloop.models.fold_answers); who is missing is
            fitted again.
    """
    costs = declared_costs(pipeline)
    if costs is None:
        return None
    cut = folds(pipeline, rows[rows["label"].notna()].reset_index(drop=True))
    members = [(best.candidate, alone(best.params)), *filter(None, [partner_of(best.params)])]
    by_member = [answers.get(name) or vote.fold_answers_of(pipeline, name, params, cut) for name, params in members]
    labels = [check["label"].to_numpy(dtype=np.float64) for _, check in cut]
    predicted = [mean(together) for together in zip(*by_member, strict=True)]
    days = [evidence.utc_days(check["decision_time"]) for _, check in cut]
    return of_folds(labels, predicted, days, costs, gate_bootstrap(pipeline))


def of_folds(
    labels: Sequence[Floats], predicted: Sequence[Floats], days: Sequence[Integers], costs: Any, drawn: Bootstrap
) -> ChosenThreshold:
    """The threshold by what was said of each fold.

    Args:
        days: UTC calendar day of each row.
        costs: `false_positive`, `false_negative`, `threshold` (of calibrated probabilities), and `of(labels, predicted,
            threshold)`, the cost per 1,000 of each row.
    """
    pairs = list(zip(labels, predicted, strict=True))
    without = [costs.of(*pair, costs.threshold) for pair in pairs]
    using = []
    for place, pair in enumerate(pairs if len(pairs) > 1 else ()):
        others = [other for at, other in enumerate(pairs) if at != place]
        using.append(costs.of(*pair, _cheapest(others, costs)))
    best = _cheapest(pairs, costs)
    gains = bool(using) and _surely_saves(np.concatenate(without), np.concatenate(using), np.concatenate(days), drawn)
    means = (tuple(float(fold.mean()) for fold in side) for side in (without, using))
    return ChosenThreshold(costs.threshold, best, best if gains else costs.threshold, *means)


def _surely_saves(without: Floats, using: Floats, days: Integers, drawn: Bootstrap) -> bool:
    """Whether rows cost less, by the whole interval over calendar days; not with too few rows or days to say."""
    try:
        # The mean of a column with its day blocks is the mean absolute distance from 0.
        saving = evidence.compare(np.zeros(len(days)), without, using, days, metric="mae", bootstrap=drawn)
    except DataContractError:
        return False
    return saving.lower > 0


def _cheapest(pairs: Sequence[tuple[Floats, Floats]], costs: Any) -> float:
    """The threshold that costs least on rows with their labels; of equally cheap ones the one nearest to the usual."""
    labels, predicted = (np.concatenate(side) for side in zip(*pairs, strict=True))
    values, places = np.unique(predicted, return_inverse=True)
    positive = np.bincount(places, weights=labels == 1, minlength=len(values))
    negative = np.bincount(places, weights=labels == 0, minlength=len(values))
    misses = np.concatenate([[0.0], np.cumsum(positive)])
    alarms = negative.sum() - np.concatenate([[0.0], np.cumsum(negative)])
    total = costs.false_positive * alarms + costs.false_negative * misses
    thresholds = _between(values)
    cheap = thresholds[total[: len(thresholds)] == total[: len(thresholds)].min()]
    return float(cheap[np.abs(cheap - costs.threshold).argmin()])


def _between(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """A threshold for each way to part ascending values, the first acts on all; on none only below a value of 1."""
    edges = [values[:1], (values[:-1] + values[1:]) / 2]
    return np.concatenate([*edges, (values[-1:] + 1) / 2] if values[-1] < 1 else edges)
