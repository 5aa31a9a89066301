"""The stages of a DAG one after the other in one process, for runs by hand."""

from collections.abc import Callable, Iterator
from typing import Any, cast

from airloop.config import Pipeline
from airloop.deployment import Deployment
from airloop.records import Record, Window
from airloop.run import stage_run

TO_FEATURES = ("ingest", "validate_raw", "build_features", "validate_features")
"""From landed files to validated features: what a training reads."""

GROUPS: dict[str, tuple[str, ...]] = {
    "data": (*TO_FEATURES, "profile", "materialize"),
    "training": ("snapshot", "tune", "train", "evaluate", "decide", "describe", "refit", "describe_refit"),
}
"""Named like the DAGs they belong to; what a database holds is extracted by its DAG only, which has the connection."""

_AFTER_DECISION = ("describe", "refit", "describe_refit")
"""They follow from the decision, which stays what a person asked for."""


def run_group(name: str, at: Deployment, window: Window, *, on_start: Callable[[str], None]) -> Record:
    """Run a group's stages over a window, `tune` once per candidate; returns the last one's record, or the decision.

    Each stage reads the records stored by the one before it; what was done with this very input is not done again.

    Args:
        on_start: Called with a stage's name, and its candidate, before it starts.

    Raises:
        AirloopError: What the first stage that fails raises; those before it stay done.
    """
    record: Any = None
    for stage, options in _steps(name, at.pipeline):
        on_start(" ".join((stage, *options.values())))
        upstream = stage_run.stored_upstream(stage, at, window)
        result = stage_run.run_stage(stage, at, window, upstream=upstream, **options)
        record = record if stage in _AFTER_DECISION else result
    return cast("Record", record)


def _steps(name: str, pipeline: Pipeline) -> Iterator[tuple[str, dict[str, Any]]]:
    for stage in GROUPS[name]:
        if stage == "tune":
            yield from ((stage, {"candidate": candidate}) for candidate in pipeline.training.candidates)
        else:
            yield stage, {}
