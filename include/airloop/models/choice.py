"""Which candidate is trained: chosen on folds, with a preference for what serves already."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import numpy as np

from airloop.config import Pipeline
from airloop.errors import GuardRefused
from airloop.models import partners
from airloop.records import Record, TunedCandidate, Window
from airloop.settings import Settings
from airloop.stores import ledger
from airloop.stores.mlflow import registry, tag_names


@dataclass(frozen=True)
class Incumbent(Record):
    """The family and parameters of the champion that a training may replace."""

    candidate: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def params_of(self, candidate: str) -> dict[str, Any] | None:
        """What it was trained with of a family, its own or its partner's; None of another one."""
        return partners.params_of(candidate, self.candidate, self.params)


def incumbent(pipeline: Pipeline, window: Window, settings: Settings) -> Incumbent | None:
    """The champion in force before the cutoff; None without one, or when its version is gone.

    Strictly before: what this very training put in force at its cutoff is not what it starts from, so that a rerun
    starts from the same.
    """
    before = window.end - timedelta(microseconds=1)
    version = ledger.intact_history(settings, pipeline.name).champion(before)
    if version is None:
        return None
    try:
        tags = registry.version_of(settings, pipeline.name, version).tags
        return Incumbent(tags[tag_names.CANDIDATE], json.loads(tags[tag_names.PARAMS]))
    except (GuardRefused, KeyError, ValueError):  # the search then starts from nothing, as a first one does
        return None


def choose(tuned: Sequence[TunedCandidate], champion: Incumbent | None) -> TunedCandidate:
    """The best score; the champion's family when the best one is not better by more than one standard error.

    The error is that of the mean of the differences per fold, which saw the same rows (the one-standard-error rule:
    Breiman, Friedman, Olshen & Stone 1984, section 3.4.3). Ties go to the candidate declared first.
    """
    best = max(tuned, key=lambda each: each.score)
    own = next((each for each in tuned if champion is not None and each.candidate == champion.candidate), None)
    if own is None or own is best or len(own.fold_scores) < 2 or len(own.fold_scores) != len(best.fold_scores):
        return best
    gains = np.subtract(best.fold_scores, own.fold_scores)
    error = float(gains.std(ddof=1)) / len(gains) ** 0.5
    return own if float(gains.mean()) <= error else best
