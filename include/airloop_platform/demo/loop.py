"""Month after month: inputs land, data, scoring; outcomes land, monitoring, and whatever triage decides."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airloop.config import Pipeline, calendar_windows
from airloop.data import inbox
from airloop.errors import ConfigError
from airloop.records import Action, Decision, Monitored, Scored, Validated, Window
from airloop.settings import Settings
from airloop.stores import state
from airloop_platform.demo.airflow_client import AirflowClient, Run
from airloop_platform.supervisor import Platform

if TYPE_CHECKING:
    from airloop.sources.replay import Replay

logger = logging.getLogger(__name__)

_RUN_SECONDS = 900
_INPUTS_AHEAD = timedelta(days=2)
_MONTHS_BEFORE_TRAINING = 2
_NAMES = {"hourly": "%d %B %H:%M", "daily": "%d %B", "weekly": "%d %B", "monthly": "%B"}


@dataclass(frozen=True)
class Period:
    """What happened in one window of the demo, as the stages recorded it."""

    window: Window
    rows: int
    refused_rows: int
    scored: Scored | None
    monitored: Monitored | None
    action: Action | None
    decision: Decision | None


Report = Callable[[str], None]


def run_demo(
    pipeline: Pipeline, settings: Settings, platform: Platform, *, months: int, report: Report
) -> tuple[Period, ...]:
    """Take the windows of the pipeline's first `months` months through the running Airflow (see demo_windows).

    A window's inputs land and are scored before its outcomes land; the first model is trained when two months are in.
    Run again it changes nothing: every stage finds that its input was done before, and trainings asked for once are not
    asked for twice.

    Raises:
        ConfigError: The pipeline cannot be replayed.
        AirloopError: A DAG run failed; names the task and its error.
    """
    windows = demo_windows(pipeline, months=months)
    with AirflowClient(platform) as client:
        return _take_windows(pipeline, settings, client, windows, report=report)


def demo_windows(pipeline: Pipeline, *, months: int) -> tuple[Window, ...]:
    """The calendar windows wholly inside `coverage` that begin in the first `months` calendar months of it.

    Raises:
        ConfigError: The pipeline declares no `replay` or no `coverage.end`, or covers no whole window.
    """
    start, end = pipeline.coverage.start, pipeline.coverage.end
    if pipeline.replay is None or end is None:
        raise ConfigError(f"{pipeline.name}: the demo needs `replay` and `coverage.end` in pipeline.yaml")
    windows = calendar_windows(pipeline.calendar, Window(start, end))
    whole = [window for window in windows if start <= window.start and window.end <= end]
    if not whole:
        raise ConfigError(f"{pipeline.name}: no whole {pipeline.calendar} window lies in the coverage [{start}, {end})")
    return tuple(window for window in whole if _months_between(whole[0], window) < months)


def _months_between(first: Window, later: Window) -> int:
    return 12 * (later.start.year - first.start.year) + later.start.month - first.start.month


def _take_windows(
    pipeline: Pipeline, settings: Settings, client: AirflowClient, windows: tuple[Window, ...], *, report: Report
) -> tuple[Period, ...]:
    groups = ("inbox", "data", "scoring", "monitoring", "training", "promotion")
    client.wait_for_dags(tuple(f"{pipeline.name}__{group}" for group in groups))
    before = [window for window in windows if _months_between(windows[0], window) < _MONTHS_BEFORE_TRAINING]
    stepper = _Stepper(pipeline, settings, client, report)
    # The demo starts the waiting windows itself, at the right moment of data time, instead of waiting for the bell.
    client.pause(f"{pipeline.name}__inbox", paused=True)
    try:
        return tuple(stepper.take(window, first_training=before[-1]) for window in windows)
    finally:
        client.pause(f"{pipeline.name}__inbox", paused=False)


class _Stepper:
    """Holds what every step needs: the client, the upstream system that lands files, where to report."""

    def __init__(self, pipeline: Pipeline, settings: Settings, client: AirflowClient, report: Report) -> None:
        from airloop.models.estimators import resolve

        self.pipeline, self.settings, self.client, self.report = pipeline, settings, client, report
        self.upstream: Replay = resolve(str(pipeline.replay))()

    def take(self, window: Window, *, first_training: Window) -> Period:
        """One window, in the order of data time."""
        name = self._name(window)
        inputs = [feed for feed, declared in self.pipeline.feeds.items() if not declared.outcome]
        self._land(inputs, until=window.end + _INPUTS_AHEAD, what=f"{name}: inputs land")
        self._run_waiting(name)
        if window.start > first_training.start:
            self._run("scoring", window, f"{name}: scoring, no outcome has landed")
        self._land(list(self.pipeline.outcome_feeds), until=window.end, what=f"{name}: outcomes land")
        self._run_waiting(name)
        if window == first_training:
            self._train_by_hand(window, f"{name}: first training")
        if window.start > first_training.start:
            self._run("monitoring", window, f"{name}: monitoring")
        self._finish(name)
        if self._nothing_to_gain(window):
            self._train_by_hand(window, f"{name}: a training asked for by hand, although nothing is gained")
            self._finish(name)
        return self._period(window)

    def _nothing_to_gain(self, window: Window) -> bool:
        """Whether this is the first window in which triage asked for nothing: there a person insists, once."""
        rows = state.latest_records(self.settings, self.pipeline.name, "triage")
        quiet = [action.cutoff for action in map(Action.from_json, rows) if action.kind == "nothing"]
        return min(quiet, default=None) == window.end

    def _land(self, feeds: list[str], *, until: Any, what: str) -> None:
        self.report(what)
        root = f"{self.settings.landing_uri}/{self.pipeline.name}"
        self.upstream.land(root, until=until, feeds=feeds, storage_options=self.settings.storage_options)

    def _train_by_hand(self, window: Window, what: str) -> None:
        cutoff = _text(window.end)
        conf = {"cutoff": cutoff, "reason": "hand", "reason_key": f"by hand {cutoff}"}
        run = self.client.start(self._dag("training"), conf, run_id=f"by_hand__{window.end:%Y-%m-%d}")
        self._wait(self.client.again(run), what)

    def _run_waiting(self, name: str) -> None:
        """One data run per window that holds files nobody ingested, as the inbox would start them (same run ids).

        Outcomes of a month's last evening land in the next month: the month before waits again, and gets its labels.
        """
        for waiting in inbox.waiting_windows(self.pipeline, self.settings):
            conf = {"start": _text(waiting.window.start), "end": _text(waiting.window.end)}
            run = self.client.start(self._dag("data"), conf, run_id=waiting.run_id)
            self._wait(self.client.again(run), f"{name}: data of {self._name(waiting.window)}")

    def _run(self, group: str, window: Window, what: str) -> None:
        conf = {"start": _text(window.start), "end": _text(window.end)}
        self._wait(self.client.start(self._dag(group), conf), what)

    def _finish(self, name: str) -> None:
        """Wait for the training that monitoring asked for, then for the promotion that training asked for.

        A run that an interrupted demo left failed goes on from its failed task.
        """
        for group in ("training", "promotion"):
            for run in self.client.recent(self._dag(group)):
                if run.state != "success":
                    asked = ", asked for by the probe" if group == "training" else ""
                    self._wait(self.client.again(run), f"{name}: {group}{asked}")

    def _wait(self, run: Run, what: str) -> None:
        self.report(what)

        def say(tasks: list[dict[str, Any]]) -> None:
            running = sorted({task["task_id"] for task in tasks if task["state"] == "running"})
            if running:
                self.report(f"{what} ({', '.join(running)})")

        self.client.wait(run, seconds=_RUN_SECONDS, on_tasks=say)

    def _name(self, window: Window) -> str:
        return window.start.strftime(_NAMES[self.pipeline.calendar])

    def _dag(self, group: str) -> str:
        return f"{self.pipeline.name}__{group}"

    def _period(self, window: Window) -> Period:
        def newest(kind: Any, stage: str, over: Window = window) -> Any:
            rows = state.latest_records(self.settings, self.pipeline.name, stage, window=over)
            return kind.from_json(rows[-1]) if rows else None

        checked: Validated = newest(Validated, "validate_raw")
        training = Window(self.pipeline.coverage.start, window.end)
        rows = next(check.rows for check in checked.checks if check.table == next(iter(self.pipeline.feeds)))
        return Period(
            window=window,
            rows=rows,
            refused_rows=checked.bad_rows,
            scored=newest(Scored, "score"),
            monitored=newest(Monitored, "monitor"),
            action=newest(Action, "triage"),
            decision=newest(Decision, "decide", training),
        )


def _text(instant: Any) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"
