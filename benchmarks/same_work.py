"""Two homes hold the same work when every stage left the same records in both."""

import json
from typing import Any

from airloop.errors import DataContractError
from airloop.run.stages import STAGES
from airloop.settings import Settings
from airloop.stores import state

# Names MLflow draws, how long it took, and the input keys that only run_stage makes.
_OF_THE_RUN = frozenset({"run_id", "model_uri", "experiment_id", "seconds", "input_key"})


def refuse_other_work(ours: Settings, peer: Settings, pipeline: str) -> int:
    """Compare every record of every stage, whatever their order; how many there are.

    Raises:
        DataContractError: A stage ran more often on one side, or found something else; names both.
    """
    total = 0
    for stage in STAGES:
        left, right = (_records(settings, pipeline, stage) for settings in (ours, peer))
        if len(left) != len(right):
            raise DataContractError(f"{stage} ran {len(left)} times on one side and {len(right)} times on the other")
        for one, other in zip(left, right, strict=True):
            if one != other:
                raise DataContractError(f"{stage} found {_difference(json.loads(one), json.loads(other))}")
        total += len(left)
    return total


def _records(settings: Settings, pipeline: str, stage: str) -> list[str]:
    records = state.latest_records(settings, pipeline, stage)
    return sorted(json.dumps(_plain(row), sort_keys=True).replace(str(settings.home), "<home>") for row in records)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if key not in _OF_THE_RUN}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _difference(one: Any, other: Any, place: str = "") -> str:
    """The first place where two JSON values differ."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        key = next(key for key in one if one[key] != other[key])
        return _difference(one[key], other[key], f"{place}.{key}")
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        at = next(at for at in range(len(one)) if one[at] != other[at])
        return _difference(one[at], other[at], f"{place}[{at}]")
    return f"{str(one)[:200]} on one side and {str(other)[:200]} on the other at {place.lstrip('.') or 'the record'}"
