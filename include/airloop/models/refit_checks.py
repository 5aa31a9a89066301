"""What a refit must show before it may go into force: it cannot be judged on rows that it has learned from."""

from dataclasses import dataclass

import numpy as np

from airloop.problems import Floats, Task

_LEAST_SPREAD = 0.1
_NOTHING = 1e-12


@dataclass(frozen=True)
class Agreement:
    """How a refit's predictions lie to the judged version's, on the same rows.

    Attributes:
        difference: Mean absolute difference, in standard deviations of the judged version's predictions.
        spread: The refit's standard deviation, in the same unit.
        problem: Why the refit may not go into force; empty when it may.
    """

    difference: float | None
    spread: float | None
    problem: str = ""


def agreement(task: Task, judged: Floats, refitted: Floats, *, max_difference: float) -> Agreement:
    """Compare predictions of the same rows; of K classes the mean over classes.

    Passes when the refit's predictions are valid for the task, spread >= 0.1 (a refit that says the same of every row
    has lost what it knew), and difference <= max_difference. Judged predictions that are all alike leave no unit: only
    an equal refit passes.
    """
    if problem := task.prediction_problem(refitted):
        return Agreement(None, None, problem)
    unit = float(np.std(judged, axis=0).mean())
    apart = float(np.abs(refitted - judged).mean())
    if unit < _NOTHING:  # a standard deviation of equal numbers is not always exactly 0
        return Agreement(None, None, "" if apart < _NOTHING else "the judged version predicts the same for every row")
    difference, spread = apart / unit, float(np.std(refitted, axis=0).mean()) / unit
    if spread < _LEAST_SPREAD:
        says = f"its predictions vary {spread:.2f} times as much as the judged version's, at least {_LEAST_SPREAD}"
        return Agreement(difference, spread, f"{says} is asked for: it says nearly the same of every row")
    if difference > max_difference:
        says = f"it differs from the judged version by {difference:.2f} standard deviations of its predictions"
        return Agreement(difference, spread, f"{says}, at most {max_difference:g} are allowed")
    return Agreement(difference, spread)
