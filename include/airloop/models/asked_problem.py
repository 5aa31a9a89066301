"""The problem that a version was trained for: kept beside its files, and compared with what is declared now.

A model of two classes gives numbers for three, too, and the probability of a failure is not a number of failures: what
a version says means something only under the declaration that it learned by.
"""

import json
from collections.abc import Mapping
from typing import Any

from airloop.config import Pipeline
from airloop.errors import GuardRefused
from airloop.stores.mlflow import model_files

PROBLEM = "problem"
"""Key in a version's record; versions of an older airloop have none."""


def asked(pipeline: Pipeline) -> dict[str, Any]:
    """What a declaration asks a model for."""
    declared = pipeline.prediction
    return {"task": declared.task, "classes": list(declared.classes), "quantiles": list(declared.quantiles)}


def refuse_other(pipeline: Pipeline, version: int, files: Mapping[str, bytes]) -> None:
    """Refuse a version that was trained for another problem than is declared now.

    Raises:
        GuardRefused: Names both, and the way out.
    """
    record = json.loads(files[model_files.RECORD]) if model_files.RECORD in files else {}
    learned, declared = record.get(PROBLEM), asked(pipeline)
    if learned not in (None, declared):
        raise GuardRefused(
            f"{pipeline.name} version {version} was trained for {_words(learned)}, and pipeline.yaml declares "
            f"{_words(declared)} now: restore the declaration, or give the changed problem a pipeline of its own name"
        )


def _words(problem: Mapping[str, Any]) -> str:
    details = [f"{name} {problem[name]}" for name in ("classes", "quantiles") if problem.get(name)]
    return ", ".join([f"the task {problem['task']}", *details])
