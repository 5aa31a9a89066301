"""What a search's parameters said of each fold: two families' answers are averaged without a fit of either."""

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from airloop.models.trials import key_of
from airloop.problems import Floats
from airloop.settings import Settings
from airloop.stores.mlflow import tracking

_FILE = "fold_answers.json"


class FoldAnswers:
    """Predictions of each fold's rows, in the order of the folds: of the best trial so far, and of what is tried on it.

    Those of all trials would take memory without end.
    """

    def __init__(self) -> None:
        self._by_params: dict[str, list[Floats]] = {}
        self._best, self._best_score = "", -math.inf

    def add(self, params: dict[str, Any], predicted: Floats) -> None:
        """One more fold by a model of these parameters, oldest fold first."""
        self._by_params.setdefault(key_of(params), []).append(predicted)

    def ended(self, params: dict[str, Any], score: float) -> None:
        """A trial is over; higher is better, and of equal ones the first stays."""
        key = key_of(params)
        if score > self._best_score:
            self._by_params.pop(self._best, None)
            self._best, self._best_score = key, score
        elif key != self._best:
            self._by_params.pop(key, None)

    def of(self, params: dict[str, Any], folds: int) -> tuple[Floats, ...]:
        """One array a fold; empty where not all were predicted here: a search that goes on knows its scores alone."""
        answers = self._by_params.get(key_of(params), [])
        return tuple(answers) if len(answers) == folds else ()


def keep(settings: Settings, run_id: str, answers: Sequence[Floats]) -> None:
    """Write them beside the search of a run; nothing where there are none."""
    if answers:
        tracking.write_text(settings, run_id, _FILE, json.dumps([fold.tolist() for fold in answers]))


def kept(settings: Settings, run_id: str) -> tuple[Floats, ...]:
    """What `keep` wrote, number by number; empty where there is nothing, or it was half written."""
    try:
        stored = json.loads(tracking.read_artifact(settings, run_id, _FILE) or "[]")
    except ValueError:
        return ()
    return tuple(np.asarray(fold, dtype=np.float64) for fold in stored)
