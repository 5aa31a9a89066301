"""Values that a candidate's estimator would refuse when it is fitted: its params, and the ends of its search."""

from collections.abc import Iterator
from typing import Any

from airloop.config import Pipeline
from airloop.config.attribute import resolve
from airloop.config.training import Range


def problems(pipeline: Pipeline, candidate: str) -> Iterator[str]:
    """One text for each value out of its range, by scikit-learn's constraints; estimators without them have none."""
    declared = pipeline.training.candidates[candidate]
    place = f"{pipeline.name}/pipeline.yaml: training.candidates.{candidate}"
    tried = [("params", dict[str, Any](declared.params))]
    for name, space in declared.search.items():
        values = (space.low, space.high) if isinstance(space, Range) else space
        tried += [
            (f"search.{name}", {**declared.params, name: value}) for value in dict.fromkeys(map(_hashable, values))
        ]
    refused_params = ""
    for key, params in tried:
        says = _refusal(declared.estimator, params)
        refused_params = says if key == "params" else refused_params
        # What the params alone are refused for is said once.
        if says and (key == "params" or says != refused_params):
            yield f"{place}.{key}: {says}"


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _refusal(estimator: str, params: dict[str, Any]) -> str:
    instance = resolve(estimator)(**params)
    # Whatever derives from scikit-learn's base class has the check, and other frameworks nothing to check by.
    if not hasattr(instance, "_parameter_constraints"):
        return ""
    try:
        instance._validate_params()
    except ValueError as error:
        return " ".join(str(error).split())
    return ""
