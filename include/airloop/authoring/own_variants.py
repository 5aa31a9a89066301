"""Variants of the project's own that a declaration names: which they are, and that rules and triggers can be built.

Those of airloop are checked when YAML is read; a module of the project may import anything, so the check imports it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from airloop.config import METRIC, METRICS, Pipeline
from airloop.config.families import Family, is_own
from airloop.config.gate_rules import RULE
from airloop.config.kinds import Declared
from airloop.config.problem import PROBLEM
from airloop.config.source import SOURCE
from airloop.config.stream import BROKER
from airloop.config.triggers import TRIGGER
from airloop.errors import ConfigError


def own_variants(pipeline: Pipeline) -> dict[Family, tuple[str, ...]]:
    """Family -> the `module:Class` names of it that a declaration has, each once; families without one are left out."""
    sources = [feed.source for feed in pipeline.feeds.values() if feed.source is not None]
    named: Mapping[Family, Iterable[str]] = {
        METRIC: pipeline.own_metrics,
        SOURCE: (source.kind for source in sources),
        BROKER: (source.stream.broker for source in sources if source.stream),
        RULE: (rule.kind for rule in pipeline.gate.rules),
        TRIGGER: (trigger.kind for trigger in pipeline.monitoring.triggers or ()),
        PROBLEM: (pipeline.prediction.problem or "",),
    }
    own = {family: tuple(dict.fromkeys(filter(is_own, names))) for family, names in named.items()}
    return {family: names for family, names in own.items() if names}


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
