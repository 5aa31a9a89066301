"""Trials that are given up before their last fold: hopeless ones, by what earlier trials scored on the same folds.

The rule is Optuna's median rule (Golovin et al. 2017, Google Vizier, section 3.2). It reads scores and no clock, so
that a search gives the same trials up on every machine, and again when it is resumed.
"""

from collections.abc import Callable, Sequence

import numpy as np
import optuna

from airloop.config.training import Budget

FULL_TRIALS = 4
"""Trials that go to their end before any is given up: a median of fewer says little."""


def pruner(budget: Budget) -> optuna.pruners.BasePruner:
    """What budget.prune asks for."""
    if budget.prune == "none":
        return optuna.pruners.NopPruner()
    return optuna.pruners.MedianPruner(n_startup_trials=FULL_TRIALS)


def scores_of(trial: optuna.Trial, folds: int, known: Sequence[float], score: Callable[[int], float]) -> list[float]:
    """A trial's score on each fold in order; on the first ones only, where these leave no hope.

    Hopeless is a mean so far below the median of what the earlier trials had after as many folds.

    Args:
        known: Scores on the first folds, which are not asked for again.
        score: Number of a fold, from 0 -> the score on it.
    """
    scores: list[float] = []
    for number in range(folds):
        scores.append(known[number] if number < len(known) else score(number))
        trial.report(float(np.mean(scores)), number)
        if trial.should_prune():
            break
    return scores
