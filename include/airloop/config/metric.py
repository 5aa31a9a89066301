"""The metrics a declaration may name: airloop's own by their names, a project's own as `module:Class`."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Literal, Protocol, get_args

from pydantic import AfterValidator, Field

from airloop.config.families import OWN, Family
from airloop.errors import ConfigError

TaskKind = Literal["binary", "regression", "multiclass", "quantiles", "anomaly"]
OF_VALUES: frozenset[TaskKind] = frozenset({"regression", "quantiles"})
"""Kinds whose label is a value: estimators are regressors, and there are no classes."""

METRIC = Family("metric", "airloop.metrics.metric:Metric")
_TASKS = get_args(TaskKind)


class Metric(Protocol):
    """What is known of a metric without measuring; see airloop.metrics.metric.

    Attributes:
        title: How people call it.
        task: The only kind of task it measures.
        sign: -1.0 where lower is better, 1.0 where higher is: sign * value is higher for the better model.
    """

    title: str
    task: TaskKind
    sign: float


def _known(name: str) -> str:
    try:
        return METRIC.refuse_unknown(name)
    except ConfigError as error:
        raise ValueError(str(error)) from None


MetricName = Annotated[
    str,
    AfterValidator(_known),
    Field(json_schema_extra={"anyOf": [{"enum": list(METRIC.names())}, {"pattern": f"^{OWN.pattern}$"}]}),
]
"""`airloop list metric` prints airloop's own; one of the project's own is `module:Class`."""


class _Metrics(Mapping[str, Metric]):
    """Name -> class. Iterates over airloop's own, by task, of each first those of which lower is better."""

    def __getitem__(self, name: str) -> Metric:
        return _loaded(name)

    def __iter__(self) -> Iterator[str]:
        return iter(_ordered())

    def __len__(self) -> int:
        return len(METRIC.names())

    def __contains__(self, name: Any) -> bool:
        return name in METRIC.names() or (isinstance(name, str) and OWN.fullmatch(name) is not None)


METRICS: Mapping[str, Metric] = _Metrics()


def metrics_of(kind: TaskKind) -> tuple[str, ...]:
    """Names of airloop's metrics of a kind of task; the first one is the loss its models are explained by."""
    return tuple(name for name in METRICS if METRICS[name].task == kind)


@cache
def _loaded(name: str) -> Metric:
    metric: Metric = METRIC.load(name)
    return metric


@cache
def _ordered() -> tuple[str, ...]:
    return tuple(sorted(METRIC.names(), key=lambda name: (_TASKS.index(_loaded(name).task), _loaded(name).sign, name)))
