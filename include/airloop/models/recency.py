"""Weights of rows by their age: training.half_life_days."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline as SklearnPipeline

from airloop.config import Pipeline
from airloop.errors import DataContractError
from airloop.models.evidence import MIN_ROWS


def weights(pipeline: Pipeline, model: SklearnPipeline, rows: pd.DataFrame) -> dict[str, Any]:
    """For the fit of the estimator at the end of the pipeline; nothing when no half-life is declared.

    A row weighs 0.5 ** (age / half-life), its age counted from the newest row.

    Raises:
        DataContractError: The weights count for fewer than MIN_ROWS rows of one weight: (sum of weights) ** 2 / sum of
            their squares (Kish 1965, Survey Sampling, section 11.7).
    """
    half_life = pipeline.training.half_life_days
    if half_life is None:
        return {}
    age = (rows["decision_time"].max() - rows["decision_time"]) / pd.Timedelta(days=1)
    of_rows = np.power(0.5, age.to_numpy(dtype="float64") / half_life)
    counting = float(of_rows.sum() ** 2 / np.square(of_rows).sum())
    if counting < min(MIN_ROWS, len(rows)):
        raise DataContractError(
            f"{pipeline.name}/pipeline.yaml: training.half_life_days is {half_life:g}: {len(rows)} rows so weighted "
            f"count for {counting:.1f}, and a fit needs {MIN_ROWS}: raise it, or leave it out"
        )
    return {f"{model.steps[-1][0]}__sample_weight": of_rows}
