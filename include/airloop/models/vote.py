"""Whether the two best families answer together: decided on the folds that chose the best one.

The mean of two models' answers gains where their errors differ (Hansen & Salamon 1990, IEEE Transactions on Pattern
Analysis and Machine Intelligence 12); elsewhere the second one only spoils the first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from airloop.config import METRICS, Pipeline
from airloop.models import candidate_errors
from airloop.models.estimators import feature_columns, fitted_model
from airloop.models.evidence import metric_value
from airloop.models.fold_gains import surely_gains
from airloop.models.folds import folds
from airloop.models.partners import KEY
from airloop.models.self_training import uses_unlabelled
from airloop.records import Record, TunedCandidate


@dataclass(frozen=True)
class Vote(Record):
    """What the folds said of the best family alone and together with the next best one.

    Attributes:
        chosen: What is trained: the best alone, or with its partner among its parameters.
        partner: The next best family; empty where none was tried, and then there are no scores.
        alone: Score of each fold, higher is better; `together` likewise.
    """

    chosen: TunedCandidate
    partner: str = ""
    alone: tuple[float, ...] = ()
    together: tuple[float, ...] = ()

    @property
    def used(self) -> bool:
        """Whether both answer."""
        return KEY in self.chosen.params


def tried(pipeline: Pipeline, tuned: Sequence[TunedCandidate], best: TunedCandidate, rows: pd.DataFrame) -> Vote:
    """The best family, with the next best one as its partner where the folds surely gain.

    Gains surely: airloop.models.fold_gains.surely_gains, the mean by more than one standard error, and most folds.
    Nothing is tried where it is not declared, with one family or one fold, or where either learned from unlabelled
    rows. The folds are those of the search.

    Args:
        best: What was chosen of `tuned`.
        rows: Those that were searched on, by decision_time.
    """
    second = _second(pipeline, tuned, best)
    if second is None:
        return Vote(best)
    params = with_partner(best, second.candidate, second.params)
    scores = tuple(_scores(pipeline, best.candidate, params, rows))
    if not surely_gains(best.fold_scores, scores):
        return Vote(best, second.candidate, best.fold_scores, scores)
    chosen = replace(best, params=params, score=sum(scores) / len(scores), fold_scores=scores)
    return Vote(chosen, second.candidate, best.fold_scores, scores)


def with_partner(best: TunedCandidate, partner: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a version in which both answer."""
    return {**best.params, KEY: {"candidate": partner, "params": dict(params)}}


def _second(pipeline: Pipeline, tuned: Sequence[TunedCandidate], best: TunedCandidate) -> TunedCandidate | None:
    if pipeline.training.ensemble.by == "none" or len(best.fold_scores) < 2 or uses_unlabelled(best.params):
        return None
    others = [
        each
        for each in tuned
        if each.candidate != best.candidate
        and len(each.fold_scores) == len(best.fold_scores)
        and not uses_unlabelled(each.params)
    ]
    return max(others, key=lambda each: each.score, default=None)


def _scores(pipeline: Pipeline, candidate: str, params: dict[str, Any], rows: pd.DataFrame) -> list[float]:
    metric, known = pipeline.training.metric, rows[rows["label"].notna()].reset_index(drop=True)
    features, scores = feature_columns(pipeline, rows), []
    for fit, check in folds(pipeline, known):
        model = fitted_model(pipeline, candidate, params, fit)
        predicted = candidate_errors.predictions(pipeline, candidate, model, check[features])
        scores.append(METRICS[metric].sign * metric_value(metric, check["label"], predicted))
    return scores
