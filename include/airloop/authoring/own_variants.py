"""Rules and triggers of the pipeline's own are built once by the check; airloop's are checked when YAML is read."""

from collections.abc import Iterator, Sequence

from airloop.config import METRICS, Pipeline
from airloop.config.kinds import Declared
from airloop.errors import ConfigError
from airloop.families import is_own


def refuse_unfit(pipeline: Pipeline) -> None:
    """Refuse a rule or trigger named as `module:Class` that cannot be built.

    Raises:
        ConfigError: A line each with file and key: it cannot be imported, is not of the family, leaves out what its
            base asks for, a key of it is wrong; or a trigger asks on the good side of a metric.
    """
    places: dict[str, Sequence[Declared]] = {
        "gate.rules": pipeline.gate.rules,
        "monitoring.triggers": pipeline.monitoring.triggers or (),
    }
    wrong = [
        f"{pipeline.name}/pipeline.yaml: {place}.{number}: {problem}"
        for place, declared in places.items()
        for number, item in enumerate(declared)
        for problem in _problems(item)
    ]
    if wrong:
        raise ConfigError("\n".join(wrong))


def _problems(declared: Declared) -> Iterator[str]:
    try:
        variant = declared.build()
    except ConfigError as error:
        yield str(error)
        return
    metric = getattr(variant, "metric", "")
    if declared.kind == "performance" and is_own(metric):
        right = "at_most" if METRICS[metric].sign < 0 else "at_least"
        if getattr(variant, right) is None:
            yield f"trigger performance: of {metric} write {right}: beyond the other bound the champion is good"
