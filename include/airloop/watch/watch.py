"""The watch over a champion: every alarm that a monitored window gives cause for."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pandas as pd

from airloop.config import Pipeline
from airloop.models.model_version import ModelVersion
from airloop.problems import PREDICTION
from airloop.records import Alarm, Monitored
from airloop.watch import alarm_rate, figures, intake
from airloop.watch.drift import Drift
from airloop.watch.figures import Predicted
from airloop.watch.influence import ModelOnRows
from airloop.watch.kept_reference import KeptReference
from airloop.watch.past import past_of


@dataclass(frozen=True)
class WatchedRows:
    """What a champion was fed in a window, beside what it learned from.

    Attributes:
        rows: The window's examples with label and prediction.
        reference: What is kept of the champion's snapshot.
        drift: Of the rows, against the champion's training rows.
        categories: The features that hold no numbers.
    """

    champion: ModelVersion
    rows: pd.DataFrame
    reference: KeptReference
    drift: Drift
    categories: Collection[str]


def alarms(
    pipeline: Pipeline, monitored: Monitored, watched: WatchedRows, windows: Sequence[Monitored]
) -> tuple[Alarm, ...]:
    """What is wrong with what the window fed the champion first, then with the champion's own figures.

    Args:
        monitored: What was measured of the window.
        windows: The champion's earlier windows, see airloop.watch.past.
    """
    champion, rows, measured, known = watched.champion, watched.rows, watched.drift, watched.reference
    past = past_of(champion, pipeline, windows)
    judged = rows.dropna(subset=["label", PREDICTION])

    def model_on(about: pd.DataFrame) -> ModelOnRows:
        return ModelOnRows(
            past.task, champion.model, champion.features, watched.categories, about, pipeline.training.seed
        )

    before = champion.holdout_predictions
    then = past.task.for_drift(before[PREDICTION]) if PREDICTION in before else pd.Series(dtype="object")
    predicted = Predicted(judged, model_on(rows[rows[PREDICTION].notna()]), known.held_out, then)
    return (
        *intake.missing_values(measured, model_on(known.learned)),
        *intake.new_categories(measured, model_on(known.learned)),
        *intake.labels_missing(rows, known.counts, past),
        *intake.label_rate(judged, known.counts, past),
        *figures.performance(pipeline, monitored, past),
        *alarm_rate.beyond_budget(pipeline, monitored.alarm_rate),
        *figures.calibration(judged, monitored, past),
        *figures.prediction_drift(measured, predicted, past),
    )
