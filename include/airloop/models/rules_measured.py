"""What the gate's rules ask evaluation to measure: each by itself, and why one could not is part of the answer."""

import hashlib
import inspect
import logging
from typing import Any

from airloop.config import Pipeline
from airloop.models.holdout import Holdout

logger = logging.getLogger(__name__)

ERROR = "could not be measured"
"""Key of the reason in place of a measurement; no word that a rule may measure something under."""


def key_of(place: int, kind: str) -> str:
    """Under which key a rule's measurement is kept: its place in gate.rules, from 1, and its kind."""
    return f"{place} {kind}"


def measure_rules(pipeline: Pipeline, holdout: Holdout) -> dict[str, dict[str, Any]]:
    """What each of gate.rules measured on a holdout, or under ERROR why it could not; the gate then refuses."""
    return {
        key_of(place, rule.kind): _measured(rule.build, holdout)
        for place, rule in enumerate(pipeline.gate.rules, start=1)
        if rule.on_holdout
    }


def rules_code(pipeline: Pipeline) -> list[str]:
    """SHA-256 of the source of each rule's module: another rule measures something else."""
    modules = [inspect.getmodule(type(rule.build())) for rule in pipeline.gate.rules]
    return [hashlib.sha256(inspect.getsource(module).encode()).hexdigest() for module in modules if module]


def _measured(build: Any, holdout: Holdout) -> dict[str, Any]:
    try:
        return dict(build().measure(holdout))
    except Exception as error:  # whatever breaks inside a rule closes the gate, and not the task
        logger.exception("a rule of the gate could not be measured")
        return {ERROR: f"{type(error).__name__}: {error}"}
