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


def live(pipeline: Pipeline, judged: pd.DataFrame) -> dict[str, float | None]:
    """Metrics of the live predictions: `brier`, `roc_auc`, and the day-block interval of each as `_lower`, `_upper`.

    None where it is not defined: fewer than 30 rows or a single class; bounds need policy.min_blocks days.

    Args:
        judged: Columns decision_time, label, probability, without gaps.
    """
    policy, compare = pipeline.monitoring.policy, pipeline.gate.compare
    found: dict[str, float | None] = dict.fromkeys(LIVE)
    if len(judged) < _MIN_ROWS or judged["label"].nunique() < 2:
        return found
    days = evidence.utc_days(judged["decision_time"])
    for metric in METRICS:
        found[metric] = evidence.metric_value(metric, judged["label"], judged["probability"])
        if evidence.blocks(days) >= policy.min_blocks:
            _, found[f"{metric}_lower"], found[f"{metric}_upper"] = evidence.interval(
                judged["label"],
                judged["probability"],
                days,
                metric=metric,
                confidence=policy.confidence,
                resamples=compare.resamples,
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
        Nothing with fewer than policy.min_rows judged rows or policy.min_blocks days of them, a single class, or fewer
        than training.min_train_rows rows to fit on.
    """
    policy = pipeline.monitoring.policy
    if len(judged) < max(policy.min_rows, _MIN_ROWS) or judged["label"].nunique() < 2:
        return ()
    days = evidence.utc_days(judged["decision_time"])
    mature_until = window.start - pipeline.prediction.label_delay
    if evidence.blocks(days) < policy.min_blocks or mature_until <= pipeline.coverage.start:
        return ()
    before = Window(pipeline.coverage.start, mature_until)
    known = examples.feature_frame(pipeline, before, settings, as_of=window.start).dropna(subset=["label"])
    if len(known) < pipeline.training.min_train_rows or known["label"].nunique() < 2:
        return ()
    features = list(champion.features)
    probe = models.new_model(pipeline, champion.candidate, champion.params, known, features)
    probe.fit(known[features], known["label"])
    refitted = probe.predict_proba(judged[features])[:, 1]
    return tuple(
        evidence.compare(
            judged["label"],
            judged["probability"],
            refitted,
            days,
            metric=metric,
            confidence=policy.confidence,
            resamples=pipeline.gate.compare.resamples,
            seed=pipeline.training.seed,
        )
        for metric in METRICS
    )


def calibration_gap(judged: pd.DataFrame) -> float | None:
    """Mean prediction minus label rate; None with fewer than 30 rows."""
    if len(judged) < _MIN_ROWS:
        return None
    return float(judged["probability"].mean() - judged["label"].mean())
