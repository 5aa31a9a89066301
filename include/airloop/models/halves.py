"""How much of what a detector says is of the data, and how much of the rows it happened to learn from."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from airloop.config import Pipeline
from airloop.models import evidence
from airloop.models.estimators import feature_columns, fitted_model
from airloop.problems import Floats, task_of


def halves(
    pipeline: Pipeline, candidate: str, params: Mapping[str, Any], rows: pd.DataFrame
) -> Callable[[pd.DataFrame], tuple[Floats, Floats]]:
    """Rows -> what two fits of a candidate say of them, one learned from the even days, one from the odd ones."""

    def said(rows_asked: pd.DataFrame) -> tuple[Floats, Floats]:
        features = feature_columns(pipeline, rows)
        odd = evidence.utc_days(rows["decision_time"]) % 2 == 1
        first, second = (fitted_model(pipeline, candidate, params, rows[half], features) for half in (~odd, odd))
        task = task_of(pipeline)
        return task.predict(first, rows_asked[features]), task.predict(second, rows_asked[features])

    return said


def shared_alarms(first: Floats, second: Floats, alarm_share: float) -> float:
    """Of the strangest `alarm_share` of the rows by either, the share that both name; chance alone gives alarm_share.

    Of equally strange rows those count first that stand first.
    """
    count = max(1, round(alarm_share * first.size))
    tops = [set(np.argsort(-scores, kind="stable")[:count].tolist()) for scores in (first, second)]
    return len(tops[0] & tops[1]) / count
