"""The metrics a declaration may name: the task each belongs to, and which way is better."""

from dataclasses import dataclass
from typing import Literal

TaskKind = Literal["binary", "regression", "multiclass"]
MetricName = Literal["brier", "roc_auc", "mae", "rmse", "log_loss", "accuracy"]


@dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes:
        title: How people call it.
        task: The only kind of task it measures.
        sign: -1.0 where lower is better, 1.0 where higher is: sign * value is higher for the better model.
    """

    title: str
    task: TaskKind
    sign: float


METRICS: dict[str, Metric] = {
    "brier": Metric("Brier", "binary", -1.0),
    "roc_auc": Metric("ROC-AUC", "binary", 1.0),
    "mae": Metric("MAE", "regression", -1.0),
    "rmse": Metric("RMSE", "regression", -1.0),
    "log_loss": Metric("log loss", "multiclass", -1.0),
    "accuracy": Metric("accuracy", "multiclass", 1.0),
}


def metrics_of(kind: TaskKind) -> tuple[str, ...]:
    """Names of the metrics of a kind of task; the first one is the loss its models are explained by."""
    return tuple(name for name, metric in METRICS.items() if metric.task == kind)
