"""What would have been: the first champion never retrained, and the first window after each promotion."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from airloop import examples, ledger, tracking
from airloop.config import Pipeline
from airloop.evaluation import evidence
from airloop.records import Evidence, Window
from airloop.settings import Settings
from airloop.tasks import task_of


@dataclass(frozen=True)
class MonthWithoutRetraining:
    """Metrics of one window's labelled examples, by the champion in force and by the first champion.

    Attributes:
        after_promotion: The champion in force against the one before it, in the first window after its promotion.
    """

    window: Window
    version: int
    live: dict[str, float]
    never_retrained: dict[str, float]
    after_promotion: Evidence | None


def without_retraining(
    pipeline: Pipeline, windows: tuple[Window, ...], settings: Settings
) -> tuple[MonthWithoutRetraining, ...]:
    """Compare on every window that had a champion; labels as known by the end of all windows."""
    done = ledger.entries(settings, pipeline.name, kind="done")
    if not done or not windows:
        return ()
    end = windows[-1].end
    versions = [(entry.effective_at, int(entry.payload["version"])) for entry in done]
    loaded = {version: tracking.load_version(pipeline, version, settings) for _, version in versions}
    return tuple(
        _compare(pipeline, window, settings, versions=versions, loaded=loaded, as_of=end)
        for window in windows
        if window.start >= versions[0][0]
    )


def _compare(
    pipeline: Pipeline,
    window: Window,
    settings: Settings,
    *,
    versions: list[tuple[datetime, int]],
    loaded: dict[int, Any],
    as_of: datetime,
) -> MonthWithoutRetraining:
    frame = examples.feature_frame(pipeline, window, settings, as_of=as_of)
    rows = frame[frame["label"].notna()]
    before = [version for effective_at, version in versions if effective_at < window.start]
    in_force = [version for effective_at, version in versions if effective_at <= window.start][-1]
    names = {versions[0][1], in_force, *(before[-1:])}
    task = task_of(pipeline)
    predicted = {
        version: task.predict(loaded[version].model, rows[list(loaded[version].features)]) for version in names
    }
    measured = {
        version: {metric: evidence.metric_value(metric, rows["label"], values) for metric in task.metrics}
        for version, values in predicted.items()
    }
    after = None
    if before and before[-1] != in_force:
        policy = pipeline.monitoring.policy
        after = evidence.compare(
            rows["label"],
            predicted[before[-1]],
            predicted[in_force],
            evidence.utc_days(rows["decision_time"]),
            metric=policy.metric,
            confidence=policy.confidence,
            resamples=pipeline.gate.compare.resamples,
            seed=pipeline.training.seed,
        )
    return MonthWithoutRetraining(window, in_force, measured[in_force], measured[versions[0][1]], after)
