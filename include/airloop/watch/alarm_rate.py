"""How many of the scored rows are alarms, of a task of anomalies: it needs no label."""

from dataclasses import replace

import numpy as np
import pandas as pd

from airloop.config import Pipeline
from airloop.errors import DataContractError
from airloop.models import evidence
from airloop.models.bootstrap import policy_bootstrap
from airloop.problems import PREDICTION, task_of
from airloop.problems.anomaly import Anomaly
from airloop.records import Alarm, AlarmRate

BEYOND = 2.0
"""An alarm share leaves its budget when the low end of its interval is above this many times prediction.alarm_share."""


def alarm_rate(pipeline: Pipeline, rows: pd.DataFrame) -> AlarmRate | None:
    """Share of alarms among the rows with a live prediction, its interval over day blocks where it has one.

    None of another task, and without a prediction. At the policy's confidence, made wider for few days.
    """
    task, scored = task_of(pipeline), rows[rows[PREDICTION].notna()]
    if not isinstance(task, Anomaly) or scored.empty:
        return None
    alarms = task.alarms(task.from_column(scored[PREDICTION])).astype(np.float64)
    nothing, days = np.zeros(alarms.size), evidence.utc_days(scored["decision_time"])
    try:
        # The mean of a column with its day blocks is the mean absolute distance from 0.
        draws = replace(policy_bootstrap(pipeline), expanded=True)
        compared = evidence.compare(nothing, alarms, nothing, days, metric="mae", bootstrap=draws)
    except DataContractError:  # too few rows or days
        return AlarmRate(float(alarms.mean()), None, None)
    return AlarmRate(compared.champion, compared.lower, compared.upper)


def beyond_budget(pipeline: Pipeline, rate: AlarmRate | None) -> list[Alarm]:
    """`alarm_budget`, when far more rows are alarms than the champion was declared to raise; see BEYOND."""
    budget = pipeline.prediction.alarm_share
    if rate is None or rate.lower is None or budget is None or rate.lower <= BEYOND * budget:
        return []
    says = (
        f"{rate.share:.2%} of the scored rows are alarms, surely more than {rate.lower:.2%}, and the budget is "
        f"{budget:.2%}: have the data changed, or the world? If the data are right, train again"
    )
    return [Alarm("alarm_budget", "prediction", says, rate.share, budget, holds_training=False)]
