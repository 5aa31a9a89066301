"""The gate's evidence: two models' predictions of the same rows, compared as `gate.compare` declares."""

import pandas as pd

from airloop.config import Pipeline
from airloop.errors import DataContractError
from airloop.models import evidence
from airloop.models.holdout import paid_bootstrap
from airloop.problems import Floats, task_of
from airloop.records import Evidence


def compare(
    pipeline: Pipeline, rows: pd.DataFrame, champion: Floats, candidate: Floats, *, looks: int = 0
) -> tuple[tuple[Evidence, ...], tuple[str, ...]]:
    """Evidence on each metric of the task from predictions of the same rows, and what kept one from being made.

    Args:
        rows: decision_time (UTC) and label of the rows, in the order of the predictions.
        looks: Earlier looks at these rows; they widen the interval, which then takes more draws.
    """
    days, draws = evidence.utc_days(rows["decision_time"]), paid_bootstrap(pipeline, looks)
    by_metric, problems = [], []
    for metric in task_of(pipeline).metrics:
        try:
            sides = (rows["label"], champion, candidate, days)
            by_metric.append(evidence.compare(*sides, metric=metric, bootstrap=draws))
        except DataContractError as error:
            problems.append(f"no evidence on {metric}: {error}")
    return tuple(by_metric), tuple(problems)
