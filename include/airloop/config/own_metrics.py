"""A metric of the project's own has to fit what the declaration says of it; airloop's are checked when YAML is read."""

from airloop.config.families import is_own
from airloop.config.gate import Floor
from airloop.config.metric import METRIC, METRICS
from airloop.config.pipeline import Pipeline
from airloop.errors import ConfigError

_SAYS = ("title", "task", "sign")


def refuse_unfit(pipeline: Pipeline) -> None:
    """Refuse a metric named as `module:Class` that cannot measure, or a floor that would let only bad models pass.

    Raises:
        ConfigError: It cannot be imported, is not a metric, leaves out what a metric says of itself, belongs to another
            task, or is bounded on the wrong side; names file and key.
    """
    for key, name in pipeline.named_metrics().items():
        if is_own(name):
            problem = _problem(name, pipeline)
            if problem:
                raise ConfigError(f"{pipeline.name}/pipeline.yaml: {key}: {problem}")
    for place, floor in enumerate(pipeline.gate.floors):
        if is_own(floor.metric) and (bound := _right_bound(floor)):
            raise ConfigError(
                f"{pipeline.name}/pipeline.yaml: gate.floors.{place}: a floor on {floor.metric} is an {bound}: the "
                "other bound would let only bad models pass"
            )


def _problem(name: str, pipeline: Pipeline) -> str:
    """Why a metric cannot measure this pipeline; empty when it can."""
    try:
        metric = METRIC.load(name)
    except ConfigError as error:
        return str(error)
    lacking = [part for part in _SAYS if not hasattr(metric, part)]
    if lacking:
        return f"metric {name}: the class says no {lacking[0]} ({', '.join(_SAYS)} are needed)"
    if metric.sign not in (-1.0, 1.0):
        return f"metric {name}: sign is {metric.sign!r}; write -1.0 where lower is better, 1.0 where higher is"
    task = pipeline.prediction.task
    return "" if metric.task == task else f"metric {name} measures {metric.task} tasks, and prediction.task is {task}"


def _right_bound(floor: Floor) -> str:
    """The bound that the floor should have; empty when it has it."""
    right = "at_most" if METRICS[floor.metric].sign < 0 else "at_least"
    return right if getattr(floor, right) is None else ""
