"""Tasks: what a label is, what a model says about it, and how both are looked at. A kind of task is a file here.

Labels are float64 (n,) without gaps. Predictions are float64: the probability of class 1 (n,) of a binary task, the
value (n,) of a regression, the probabilities (n, K) of the K declared classes of a multiclass task, the values (n, K)
of the K declared quantiles, the share of learned rows that are less strange (n,) of a task of anomalies.
"""

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from airloop.config import METRICS, Pipeline, TaskKind, own_metrics
from airloop.config.problem import PROBLEM
from airloop.errors import ConfigError, DataContractError
from airloop.problems.problem import PREDICTION, Floats, Integers, Statistic, Task
from airloop.problems.quantiles import Quantiles

if TYPE_CHECKING:  # see airloop.problems.problem
    import pandas as pd

__all__ = [
    "PREDICTION",
    "Floats",
    "Integers",
    "Statistic",
    "Task",
    "refuse_unfit_labels",
    "task_measured_by",
    "task_of",
]


def task_of(pipeline: Pipeline) -> Task:
    """The task a pipeline declares, and what it is measured by.

    Raises:
        ConfigError: A metric or the problem of the project's own cannot be imported, or does not fit what the
            declaration says.
    """
    own_metrics.refuse_unfit(pipeline)
    declared = pipeline.prediction
    levels, alarm_share = declared.quantiles, declared.alarm_share or 0.0
    return _class_of(pipeline)(declared.classes, pipeline.own_metrics, levels, alarm_share)


def _class_of(pipeline: Pipeline) -> type[Task]:
    declared, place = pipeline.prediction, f"{pipeline.name}/pipeline.yaml: prediction.problem"
    shipped = _shipped(declared.task)
    if declared.problem is None:
        return shipped
    try:
        own: type[Task] = PROBLEM.load(declared.problem)
    except ConfigError as error:
        raise ConfigError(f"{place}: {error}") from error
    if not issubclass(own, shipped) or own.kind != declared.task:
        raise ConfigError(
            f"{place}: {declared.problem} does not extend {shipped.__module__}:{shipped.__name__} of prediction.task "
            f"{declared.task}: extend that class, or name the task that it is of"
        )
    return own


@cache
def _shipped(kind: TaskKind) -> type[Task]:
    task: type[Task] = PROBLEM.load(kind)
    return task


def task_measured_by(metric: str, predictions: npt.ArrayLike) -> Task:
    """The task a metric belongs to; its classes are the columns of the predictions, by their numbers.

    Raises:
        DataContractError: No such metric, or quantiles that do not say their levels.
    """
    if metric not in METRICS:
        raise DataContractError(f"unknown metric {metric!r} (known: {', '.join(METRICS)})")
    kind = METRICS[metric].task
    if kind == "quantiles":
        levels = getattr(predictions, "levels", ())
        if not levels:
            raise DataContractError(f"{metric}: the predictions do not say of which quantiles they are")
        return Quantiles(levels=levels)
    columns = (*np.shape(predictions), 0)[1:2]
    return _shipped(kind)(tuple(str(number) for number in range(*columns)))


def refuse_unfit_labels(pipeline: Pipeline, labels: "pd.Series") -> None:
    """Refuse labels that are not what the declared task says; rows without a label are passed over.

    Raises:
        DataContractError: Names one of them.
    """
    problem = task_of(pipeline).label_problem(labels.dropna())
    if problem:
        raise DataContractError(
            f"{pipeline.name}: {problem}: change prediction.task ({pipeline.prediction.task}) in pipeline.yaml, or "
            "what section labels of features.sql gives"
        )
