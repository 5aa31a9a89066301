"""Make include/airloop/authoring/estimators.json again: `python -m tests.support.estimator_list`."""

import importlib
import inspect
import json
import warnings
from pathlib import Path
from typing import Any

import sklearn
from sklearn.utils import all_estimators
from sklearn.utils._available_if import _AvailableIfDescriptor
from sklearn.utils._param_validation import Interval, StrOptions

PATH = Path(__file__).parents[2] / "include/airloop/authoring/estimators.json"
_MODULES = ("ensemble", "linear_model", "naive_bayes", "neighbors", "neural_network", "tree")
_NUMBERS = {"Integral": "integer", "Real": "real", "RealNotInt": "real_not_integer"}


def content() -> str:
    """The list as it is written: an estimator a line."""
    lines = [
        f'    "{path}": {json.dumps({"kind": kind, "params": _params(estimator)}, sort_keys=True)}'
        for kind in ("classifier", "regressor")
        for path, estimator in _usual(kind)
    ]
    body = ",\n".join(sorted(lines))
    return f'{{\n  "scikit-learn": "{sklearn.__version__}",\n  "estimators": {{\n{body}\n  }}\n}}\n'


def _usual(kind: str) -> Any:
    for name, estimator in all_estimators(type_filter=kind):
        module = ".".join(estimator.__module__.split(".")[:2])
        if module.removeprefix("sklearn.") not in _MODULES or not hasattr(importlib.import_module(module), name):
            continue
        needs = [p for p in inspect.signature(estimator).parameters.values() if p.default is p.empty]
        probabilities = inspect.getattr_static(estimator, "predict_proba", None)
        if (
            needs
            or _deprecated(estimator)
            or (kind == "classifier" and (probabilities is None or _conditional(probabilities)))
        ):
            continue
        yield f"{module}:{name}", estimator


def _deprecated(estimator: Any) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            estimator()
        except FutureWarning:
            return True
    return False


def _conditional(attribute: Any) -> bool:
    return isinstance(attribute, property | _AvailableIfDescriptor)


def _params(estimator: Any) -> dict[str, list[Any]]:
    params = {}
    for name in inspect.signature(estimator).parameters:
        constraints = estimator._parameter_constraints.get(name, [])
        plain = [] if isinstance(constraints, str) else [_plain(item) for item in constraints]
        params[name] = [item for item in plain if item is not None]
    return params


def _plain(constraint: Any) -> Any:
    if constraint is None or constraint == "boolean":
        return constraint or "null"
    if isinstance(constraint, StrOptions):
        return ["words", *sorted(constraint.options)]
    if isinstance(constraint, Interval):
        ends = [None if end is None or abs(end) == float("inf") else end for end in (constraint.left, constraint.right)]
        return [_NUMBERS[constraint.type.__name__], *ends, constraint.closed]
    return None


if __name__ == "__main__":
    PATH.write_text(content(), encoding="utf-8")
