"""Whether two families answer together, decided on the folds that chose the best one.

The mean of two models' answers gains where their errors differ (Hansen & Salamon 1990, IEEE Transactions on Pattern
Analysis and Machine Intelligence 12); elsewhere the second one only spoils the first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import pandas as pd

from airloop.config import METRICS, Pipeline
from airloop.models import candidate_errors
from airloop.models.estimators import feature_columns, fitted_model
from airloop.models.evidence import metric_value
from airloop.models.fold_gains import surely_gains
from airloop.models.folds import Fold, folds
from airloop.models.partners import KEY
from airloop.models.self_training import uses_unlabelled
from airloop.models.soft_vote import mean
from airloop.problems import Floats
from airloop.records import Record, TunedCandidate


@dataclass(frozen=True)
class Vote(Record):
    """What the folds said of the best family alone, and of the pair of families whose mean scored best.

    Attributes:
        chosen: What is trained: the best alone, or the better one of the pair with its partner among its parameters.
        partner: The other one of the pair; empty where none was tried, and then there are no scores.
        alone: Score of each fold, higher is better; `together` likewise.
        beside: The better one of the pair; empty on records of an older airloop, where it was the best one.
    """

    chosen: TunedCandidate
    partner: str = ""
    alone: tuple[float, ...] = ()
    together: tuple[float, ...] = ()
    beside: str = ""

    @property
    def used(self) -> bool:
        """Whether both answer."""
        return KEY in self.chosen.params


def tried(
    pipeline: Pipeline,
    tuned: Sequence[TunedCandidate],
    best: TunedCandidate,
    rows: pd.DataFrame,
    answers: Mapping[str, Sequence[Floats]],
) -> Vote:
    """Of all pairs of families the one whose mean scores best, where the folds surely gain by it; else the best family.

    Gains surely: airloop.models.fold_gains.surely_gains, the mean by more than one standard error, and most folds.
    Nothing is tried where it is not declared, with one family or one fold, or where the best one learned from
    unlabelled rows. The folds are those of the search.

    Args:
        best: What was chosen of `tuned`.
        rows: Those that were searched on, by decision_time.
        answers: By family what its parameters said of each fold (airloop.models.fold_answers); who is missing is
            fitted again, and says the same.
    """
    able = _able(pipeline, tuned, best)
    if len(able) < 2:
        return Vote(best)
    known = rows[rows["label"].notna()].reset_index(drop=True)
    cut = folds(pipeline, known)
    by_family = {
        each.candidate: answers.get(each.candidate) or fold_answers_of(pipeline, each.candidate, each.params, cut)
        for each in able
    }
    pairs = [
        (first, second, _together(pipeline, cut, by_family[first.candidate], by_family[second.candidate]))
        for first, second in combinations(sorted(able, key=lambda each: -each.score), 2)
    ]
    first, second, together = max(pairs, key=lambda pair: sum(pair[2]))
    if not surely_gains(best.fold_scores, together):
        return Vote(best, second.candidate, best.fold_scores, together, first.candidate)
    params, score = with_partner(first, second.candidate, second.params), sum(together) / len(together)
    chosen = replace(first, params=params, score=score, fold_scores=together)
    return Vote(chosen, second.candidate, best.fold_scores, together, first.candidate)


def with_partner(best: TunedCandidate, partner: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a version in which both answer."""
    return {**best.params, KEY: {"candidate": partner, "params": dict(params)}}


def _able(pipeline: Pipeline, tuned: Sequence[TunedCandidate], best: TunedCandidate) -> list[TunedCandidate]:
    if pipeline.training.ensemble.by == "none" or len(best.fold_scores) < 2 or uses_unlabelled(best.params):
        return []
    same = [each for each in tuned if len(each.fold_scores) == len(best.fold_scores)]
    return [each for each in same if not uses_unlabelled(each.params)]


def fold_answers_of(pipeline: Pipeline, candidate: str, params: Mapping[str, Any], cut: Sequence[Fold]) -> list[Floats]:
    """What a family's parameters say of each fold; by a fit each."""
    answers = []
    for fit, check in cut:
        model = fitted_model(pipeline, candidate, params, fit)
        features = feature_columns(pipeline, check)
        answers.append(candidate_errors.predictions(pipeline, candidate, model, check[features]))
    return answers


def _together(
    pipeline: Pipeline, cut: Sequence[Fold], one: Sequence[Floats], other: Sequence[Floats]
) -> tuple[float, ...]:
    """The score of the mean of both on each fold, higher is better."""
    metric = pipeline.training.metric
    return tuple(
        METRICS[metric].sign * metric_value(metric, check["label"], mean(pair))
        for (_, check), *pair in zip(cut, one, other, strict=True)
    )
