"""Performance: how the champion's live predictions did on labelled rows, and what the probe would have gained."""

import pandas as pd

from airloop import evidence, examples, models
from airloop.config import Pipeline
from airloop.records import Evidence, Window
from airloop.settings import Settings
from airloop.tracking import LoadedVersion

METRICS = ("brier", "roc_auc")
LIVE = tuple(f"{metric}{end}" for metric in METRICS for end in ("", "_lower", "_upper"))
_MIN_ROWS = 30
_MIN_DAYS_A_CLASS = 5
"""With fewer days of a class, draws of days without it (and so without a ROC-AUC) are more than a few in a hundred."""


def live(pipeline: Pipeline, judged: pd.DataFrame) -> dict[str, float | None]:
    """Metrics of the live predictions: `brier`, `roc_auc`, and the day-block interval of each as `_lower`, `_upper`.

    None where it is not defined: fewer than 30 rows or a single class; bounds need policy.min_blocks days, and either
    class on 5 of them.

    Args:
        judged: Columns decision_time, label, probability, without gaps.
    """
    found: dict[str, float | None] = dict.fromkeys(LIVE)
    if len(judged) < _MIN_ROWS or judged["label"].nunique() < 2:
        return found
    for metric in METRICS:
        found[metric] = evidence.metric_value(metric, judged["label"], judged["probability"])
        if _enough_days(judged, pipeline):
            _, found[f"{metric}_lower"], found[f"{metric}_upper"] = evidence.interval(
                judged["label"],
                judged["probability"],
                evidence.utc_days(judged["decision_time"]),
                metric=metric,
                confidence=pipeline.monitoring.policy.confidence,
                resamples=pipeline.gate.compare.resamples,
                seed=pipeline.training.seed,
            )
    return found


def probe(
    pipeline: Pipeline, window: Window, champion: LoadedVersion, judged: pd.DataFrame, settings: Settings
) -> tuple[Evidence, ...]:
    """Evidence, per metric, of the probe over the champion's live predictions on the judged rows.

    The probe is the champion's candidate and parameters, refitted on all labelled rows with decision time in
    [coverage.start, window.start - label_delay). Strictly before: a row at the boundary is judged, not learnt from.

    Args:
        judged: Columns decision_time, the champion's features, label, probability; the last two without gaps.

    Returns:
        Nothing with fewer than policy.min_rows judged rows or policy.min_blocks days of them, a class on fewer than 5
        days, or fewer than training.min_train_rows rows to fit on.
    """
    policy = pipeline.monitoring.policy
    mature_until = window.start - pipeline.prediction.label_delay
    if len(judged) < max(policy.min_rows, _MIN_ROWS) or mature_until <= pipeline.coverage.start:
        return ()
    if not _enough_days(judged, pipeline):
        return ()
    before = Window(pipeline.coverage.start, mature_until)
    known = examples.feature_frame(pipeline, before, settings, as_of=window.start).dropna(subset=["label"])
    if len(known) < pipeline.training.min_train_rows or known["label"].nunique() < 2:
        return ()
    features = list(champion.features)
    model = models.new_model(pipeline, champion.candidate, champion.params, known, features)
    model.fit(known[features], known["label"])
    refitted = model.predict_proba(judged[features])[:, 1]
    return tuple(
        evidence.compare(
            judged["label"],
            judged["probability"],
            refitted,
            evidence.utc_days(judged["decision_time"]),
            metric=metric,
            confidence=policy.confidence,
            resamples=pipeline.gate.compare.resamples,
            seed=pipeline.training.seed,
        )
        for metric in METRICS
    )


def _enough_days(judged: pd.DataFrame, pipeline: Pipeline) -> bool:
    days = evidence.utc_days(judged["decision_time"])
    a_class = [evidence.blocks(days[(judged["label"] == label).to_numpy()]) for label in (0, 1)]
    return evidence.blocks(days) >= pipeline.monitoring.policy.min_blocks and min(a_class) >= _MIN_DAYS_A_CLASS


def calibration_gap(judged: pd.DataFrame) -> float | None:
    """Mean prediction minus label rate; None with fewer than 30 rows."""
    if len(judged) < _MIN_ROWS:
        return None
    return float(judged["probability"].mean() - judged["label"].mean())
