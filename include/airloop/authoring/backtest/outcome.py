"""What each policy came to on the same live rows, and the whole backtest of a pipeline."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from airloop.authoring.backtest.calendar import first_cutoff, windows_of
from airloop.authoring.backtest.past import Past
from airloop.authoring.backtest.policies import Policy, refuse_unmeasured
from airloop.authoring.backtest.replay import Course, Training, first_model, follow
from airloop.authoring.backtest.work import Work
from airloop.config import Pipeline
from airloop.config.calendar import Calendar
from airloop.errors import DataContractError
from airloop.models import evidence, without_labels
from airloop.models.bootstrap import gate_bootstrap
from airloop.problems import PREDICTION, Floats, task_of
from airloop.records import Evidence, Window


@dataclass(frozen=True)
class LiveWindow:
    """A window by the model in force at its start; None where a metric is not defined."""

    window: Window
    candidate: str
    trained_at: datetime
    rows: int
    metrics: dict[str, float | None]


@dataclass(frozen=True)
class Outcome:
    """One policy over all live windows.

    Attributes:
        pooled: Metric -> (value, lower, upper) over all live rows, with its day-block interval; None where undefined.
        mean: Metric -> mean over the windows where it is defined.
        gain: On the gate's metric, over the policy `never`; None for that one.
        seconds: Of compute from the first training on, one process; what policies share counts in each.
    """

    policy: str
    says: str
    windows: tuple[LiveWindow, ...]
    pooled: dict[str, tuple[float, float, float] | None]
    mean: dict[str, float | None]
    gain: Evidence | None
    trainings: tuple[Training, ...]
    seconds: float

    @property
    def promotions(self) -> int:
        """How often another model went into force."""
        return sum(training.outcome == "promoted" for training in self.trainings)

    @property
    def rollbacks(self) -> int:
        """How often probation took such a model back."""
        return sum(training.taken_back_at is not None for training in self.trainings)


@dataclass(frozen=True)
class Backtest:
    """All policies of a pipeline over the same windows.

    Attributes:
        metric: The gate's; what `gain` is about.
        windows: Those with a model in force, oldest first.
    """

    pipeline: str
    metric: str
    windows: tuple[Window, ...]
    rows: int
    outcomes: tuple[Outcome, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values; instants as text."""
        content: dict[str, Any] = _plain(asdict(self))
        for shown, outcome in zip(content["outcomes"], self.outcomes, strict=True):
            shown |= {"promotions": outcome.promotions, "rollbacks": outcome.rollbacks}
        return content


def backtest(
    past: Past, policies: Sequence[Policy], *, every: Calendar, on_progress: Callable[[str], None]
) -> Backtest:
    """Replay the past once per policy, in data time, and measure all on the same live rows.

    Every policy starts with the same first model: the first that passes the gate's floors at the end of a window after
    which it has trained on as many days as the holdout and the lookback have. Live rows are those decided in the whole
    windows after it whose labels are mature at the end of the past.

    Raises:
        DataContractError: The past is too short, has no labels of anomalies and of others to compare by, or no first
            model passes.
        ConfigError: `declared` is among them, and the pipeline has a trigger that a backtest cannot ask.
    """
    refuse_unmeasured(past.pipeline, policies)
    _refuse_unlabelled(past)
    pipeline, work = past.pipeline, Work(past, on_progress)
    if past.open_alarms:
        on_progress(f"{past.open_alarms} alarms of this past are open: trainings take their rows as if accepted")
    windows = windows_of(every, past.span)
    earliest = first_cutoff(pipeline, windows)
    if earliest is None:
        raise DataContractError(f"{pipeline.name}: {len(windows)} {every} windows are too few for a first training")
    first, seconds = first_model(work, windows, earliest)
    live = tuple(window for window in windows if window.start >= first.cutoff)
    if not live:
        raise DataContractError(f"{pipeline.name}: no window is left after the first model at {first.cutoff:%Y-%m-%d}")
    rows = _live_rows(past, live)
    measured: list[tuple[Policy, Course, Floats]] = []
    for policy in policies:
        on_progress(f"policy {policy.name}: {policy.says}")
        course = follow(policy, work, live, first, seconds)
        measured.append((policy, course, _predictions(work, course, live, rows)))
    never = next(predicted for policy, _, predicted in measured if policy.name == "never")
    outcomes = [_outcome(work, *item, live=live, rows=rows, never=never) for item in measured]
    return Backtest(pipeline.name, pipeline.gate.compare.metric, live, len(rows), tuple(outcomes))


def _refuse_unlabelled(past: Past) -> None:
    """A task that learns without labels is compared by them all the same."""
    task = task_of(past.pipeline)
    if not task.learns_without_labels:
        return
    rows = past.known(past.span, as_of=past.span.end).dropna(subset=["label"])
    days = task.days_of_rarer_class(rows["label"], evidence.utc_days(rows["decision_time"]))
    if days < without_labels.FEWEST_DAYS:
        raise DataContractError(
            f"{past.pipeline.name}: a backtest compares policies by labels, and this past has {len(rows)}, the rarer "
            f"of 0 and 1 on {days:g} days ({without_labels.FEWEST_DAYS} are needed): label some rows, or take the past "
            f"through the whole loop by airloop replay {past.pipeline.name}"
        )


def _live_rows(past: Past, live: tuple[Window, ...]) -> pd.DataFrame:
    mature = past.span.end - past.pipeline.prediction.label_delay
    rows = past.known(Window(live[0].start, min(live[-1].end, mature)), as_of=past.span.end)
    return rows[rows["label"].notna()].reset_index(drop=True)


def _predictions(work: Work, course: Course, live: tuple[Window, ...], rows: pd.DataFrame) -> Floats:
    columns = []
    for window in live:
        inside = _inside(rows, window)
        predicted, took = work.scored(course.champion(window.start)[1], window)
        course.seconds += took
        key = [work.pipeline.prediction.entity_key, "decision_time"]
        columns.append(rows.loc[inside, key].merge(predicted, on=key, how="left", validate="one_to_one")[PREDICTION])
    return work.task.from_column(pd.concat(columns, ignore_index=True))


def _inside(rows: pd.DataFrame, window: Window) -> "pd.Series[bool]":
    return (rows["decision_time"] >= window.start) & (rows["decision_time"] < window.end)


def _outcome(
    work: Work,
    policy: Policy,
    course: Course,
    predicted: Floats,
    *,
    live: tuple[Window, ...],
    rows: pd.DataFrame,
    never: Floats,
) -> Outcome:
    shown = tuple(_live_window(work, course, window, rows, predicted) for window in live)
    names = work.task.metrics
    return Outcome(
        policy=policy.name,
        says=policy.says,
        windows=shown,
        pooled={name: _interval(work.pipeline, rows, predicted, name) for name in names},
        mean={name: _mean([window.metrics[name] for window in shown]) for name in names},
        gain=None if policy.name == "never" else _gain(work.pipeline, rows, never, predicted),
        trainings=tuple(course.trainings),
        seconds=round(course.seconds, 1),
    )


def _live_window(work: Work, course: Course, window: Window, rows: pd.DataFrame, predicted: Floats) -> LiveWindow:
    inside = _inside(rows, window).to_numpy()
    labels, predictions = rows["label"][inside], predicted[inside]
    model = course.champion(window.start)[1]
    measured = {name: _metric(name, labels, predictions) for name in work.task.metrics}
    return LiveWindow(window, model.candidate, model.cutoff, len(labels), measured)


def _metric(name: str, labels: "pd.Series[float]", predicted: Floats) -> float | None:
    try:
        return evidence.metric_value(name, labels, predicted)
    except DataContractError:  # too few rows, or of one class
        return None


def _mean(values: Sequence[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return float(np.mean(there)) if there else None


def _interval(
    pipeline: Pipeline, rows: pd.DataFrame, predicted: Floats, metric: str
) -> tuple[float, float, float] | None:
    days = evidence.utc_days(rows["decision_time"])
    try:
        return evidence.interval(rows["label"], predicted, days, metric=metric, bootstrap=gate_bootstrap(pipeline))
    except DataContractError:
        return None


def _gain(pipeline: Pipeline, rows: pd.DataFrame, never: Floats, predicted: Floats) -> Evidence | None:
    days, metric = evidence.utc_days(rows["decision_time"]), pipeline.gate.compare.metric
    try:
        return evidence.compare(
            rows["label"], never, predicted, days, metric=metric, bootstrap=gate_bootstrap(pipeline)
        )
    except DataContractError:
        return None


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, datetime) else value
