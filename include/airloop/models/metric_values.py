"""What one model scores on labelled rows, in each metric of its task."""

import pandas as pd

from airloop.errors import DataContractError
from airloop.models import evidence
from airloop.problems import Floats, Task


def metric_values(task: Task, labels: pd.Series, predicted: Floats) -> dict[str, float | None]:
    """The task's metrics, and what else it tells of a holdout (Task.extra_metrics).

    None where rows are too few for a metric or, of a binary task, all of one class: the gate refuses what is missing.
    """
    values = {name: _value(name, labels, predicted) for name in task.metrics}
    return values | task.extra_metrics(labels.to_numpy(dtype="float64"), predicted)


def _value(name: str, labels: pd.Series, predicted: Floats) -> float | None:
    try:
        return evidence.metric_value(name, labels, predicted)
    except DataContractError:
        return None
