"""A stage on what it looks up now, as the runner calls it: no lock, no input key, no record."""

from collections.abc import Callable
from typing import Any, TypeVar

from airloop.deployment import Deployment
from airloop.records import Record, Validated, Window
from airloop.run import stage_run
from airloop.run.stages import STAGES

R = TypeVar("R", bound=Record)


def run_plainly(function: Callable[..., R], at: Deployment, window: Window, **arguments: Any) -> R:
    """Call a stage's function; `arguments`: the records it needs, by the names of its parameters, and options."""
    stage = next(item for item in STAGES.values() if item.path == f"{function.__module__}:{function.__name__}")
    reads = stage_run.looked_up(stage, at, window, arguments)
    return function(at, window, **arguments) if stage.look_up() is None else function(at, window, reads, **arguments)


def judged(window: Window, layer: str = "raw") -> Validated:
    """What a stage after validation is handed, of tables that were put there by hand."""
    return Validated(window, layer, (), (), "")
