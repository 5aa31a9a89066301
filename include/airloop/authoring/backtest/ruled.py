"""What the gate's rules measure of a model of a replayed past, as evaluate has it."""

from dataclasses import replace
from typing import Any

import pandas as pd

from airloop.authoring.backtest.contender import Contender
from airloop.config import Pipeline
from airloop.models import reserve, without_labels
from airloop.models.decision_threshold import threshold_of
from airloop.models.holdout import JudgedModel, holdout_of
from airloop.models.reserve import Learned
from airloop.models.rules_measured import measure_rules
from airloop.problems import Floats, task_of
from airloop.stores.mlflow import model_files


def measured(
    pipeline: Pipeline, contender: Contender, champion: Floats | None, against: Contender | None
) -> dict[str, dict[str, Any]]:
    """What gate.rules measure of the candidate; it is saved as bytes only to be weighed.

    Args:
        champion: What `against` says of the candidate's labelled holdout rows.
    """
    if not pipeline.gate.rules:
        return {}
    learned = _learned(pipeline, contender)
    size = len(model_files.dumped(contender.model))
    model = JudgedModel(contender.held_out_predictions, learned.predict, contender.features, size)
    holdout = replace(
        holdout_of(pipeline, contender.held_out, model, champion),
        reserve=reserve.of_frame(contender.kept_back, _learned(pipeline, against), learned) if against else None,
        whole=None
        if contender.frame is None
        else without_labels.whole(pipeline, contender, contender.frame, contender.mature_predictions),
        thresholds=(threshold_of(contender.params), threshold_of(against.params if against else {})),
    )
    return measure_rules(pipeline, holdout)


def _learned(pipeline: Pipeline, model: Contender) -> Learned:
    def predict(rows: pd.DataFrame) -> Floats:
        return task_of(pipeline).predict(model.model, rows[list(model.features)])

    return Learned(predict, model.train.end, pipeline.training.reserve_days)
