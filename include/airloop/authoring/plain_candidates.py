"""Candidates that scikit-learn surely takes, told without it: importing it is half of the cost of `pipelines check`.

estimators.json lists what the constraints of the usual estimators allow, for one version of scikit-learn (a test makes
the list again and compares). Only a yes counts: another version, estimator or kind of value is asked of scikit-learn.
"""

import json
import math
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from airloop.config import Candidate, TaskKind
from airloop.config.training import Range

_NUMBERS: dict[str, tuple[type, ...]] = {"integer": (int,), "real": (int, float), "real_not_integer": (float,)}
_LIST = Path(__file__).parent / "estimators.json"


def is_plain(task: TaskKind, candidate: Candidate) -> bool:
    """Whether the estimator predicts for the task and takes each of its params and of the values of its search.

    Of quantiles and anomalies never: what they need is asked of the estimator.
    """
    known = _estimators().get(candidate.estimator)
    if task in ("quantiles", "anomaly") or known is None or (known["kind"] == "regressor") != (task == "regression"):
        return False
    return all(
        any(_allows(constraint, value) for constraint in known["params"].get(name, ()))
        for name, values in _values(candidate).items()
        for value in values
    )


def _values(candidate: Candidate) -> dict[str, list[Any]]:
    values = {name: [value] for name, value in candidate.params.items()}
    for name, space in candidate.search.items():
        ends = [space.low, space.high] if isinstance(space, Range) else list(space)
        values[name] = [*values.get(name, ()), *ends]
    return values


@cache
def _estimators() -> dict[str, Any]:
    listed: dict[str, Any] = json.loads(_LIST.read_text(encoding="utf-8"))
    try:
        same = version("scikit-learn") == listed["scikit-learn"]
    except PackageNotFoundError:
        same = False
    return dict(listed["estimators"]) if same else {}


def _allows(constraint: Any, value: Any) -> bool:
    if constraint in ("null", "boolean"):
        return value is None if constraint == "null" else isinstance(value, bool)
    kind, *allowed = constraint
    if kind == "words":
        return isinstance(value, str) and value in allowed
    low, high, closed = allowed
    if isinstance(value, bool) or not any(isinstance(value, number) for number in _NUMBERS[kind]):
        return False
    above = low is None or value > low or (value == low and closed in ("left", "both"))
    below = high is None or value < high or (value == high and closed in ("right", "both"))
    return above and below and abs(value) != math.inf
