"""Month after month: inputs land, data, scoring; outcomes land, monitoring, and whatever triage decides."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from airloop import state
from airloop.config import Pipeline, calendar_windows
from airloop.demo.airflow_client import AirflowClient, Run
from airloop.errors import ConfigError
from airloop.records import Action, Decision, Monitored, Scored, Validated, Window
from airloop.settings import Settings
from airloop.supervisor import Platform

logger = logging.getLogger(__name__)

_RUN_SECONDS = 900
_INPUTS_AHEAD = timedelta(days=2)
FIRST_TRAINING_AFTER = 2


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
    """Take the first `months` windows of the pipeline through the running Airflow.

    A window's inputs land and are scored before its outcomes land. Run again it changes nothing: every stage finds
    that its input was done before, and trainings asked for once are not asked for twice.

    Raises:
        ConfigError: The pipeline declares no `replay`, or covers no end.
        AirloopError: A DAG run failed; names the task and its error.
    """
    if pipeline.replay is None or pipeline.coverage.end is None:
        raise ConfigError(f"{pipeline.name}: the demo needs `replay` and `coverage.end` in pipeline.yaml")
    with AirflowClient(platform) as client:
        return _take_windows(pipeline, settings, client, months=months, report=report)


def _take_windows(
    pipeline: Pipeline, settings: Settings, client: AirflowClient, *, months: int, report: Report
) -> tuple[Period, ...]:
    groups = ("inbox", "data", "scoring", "monitoring", "training", "promotion")
    client.wait_for_dags(tuple(f"{pipeline.name}__{group}" for group in groups))
    covered = Window(pipeline.coverage.start, pipeline.coverage.end or pipeline.coverage.start)
    windows = calendar_windows(pipeline.calendar, covered)[:months]
    stepper = _Stepper(pipeline, settings, client, report)
    # The demo starts every data run itself, in data time; the inbox would start each a second time to find it done.
    client.pause(f"{pipeline.name}__inbox", paused=True)
    try:
        return tuple(stepper.take(number, window) for number, window in enumerate(windows, start=1))
    finally:
        client.pause(f"{pipeline.name}__inbox", paused=False)


class _Stepper:
    """Holds what every step needs: the client, the upstream system that lands files, where to report."""

    def __init__(self, pipeline: Pipeline, settings: Settings, client: AirflowClient, report: Report) -> None:
        from airloop.models import resolve

        self.pipeline, self.settings, self.client, self.report = pipeline, settings, client, report
        self.upstream: Any = resolve(str(pipeline.replay))()

    def take(self, number: int, window: Window) -> Period:
        """One window, in the order of data time."""
        name = f"{window.start:%B}"
        inputs = [feed for feed, declared in self.pipeline.feeds.items() if not declared.outcome]
        self._land(inputs, until=window.end + _INPUTS_AHEAD, what=f"{name}: inputs land")
        self._run("data", window, f"{name}: data")
        if number > FIRST_TRAINING_AFTER:
            self._run("scoring", window, f"{name}: scoring, no outcome has landed")
        self._land(list(self.pipeline.outcome_feeds), until=window.end, what=f"{name}: outcomes land")
        self._run("data", window, f"{name}: data, now with outcomes")
        if number == FIRST_TRAINING_AFTER:
            cutoff = _text(window.end)
            conf = {"cutoff": cutoff, "reason": "hand", "reason_key": f"first champion {cutoff}"}
            first = self.client.start(self._dag("training"), conf, run_id=f"first__{window.end:%Y-%m-%d}")
            self._wait(first, f"{name}: first training")
        if number > FIRST_TRAINING_AFTER:
            self._run("monitoring", window, f"{name}: monitoring")
        self._finish(name)
        return self._period(window)

    def _land(self, feeds: list[str], *, until: Any, what: str) -> None:
        self.report(what)
        root = f"{self.settings.landing_uri}/{self.pipeline.name}"
        self.upstream.land(root, until=until, feeds=feeds, storage_options=self.settings.storage_options)

    def _run(self, group: str, window: Window, what: str) -> None:
        conf = {"start": _text(window.start), "end": _text(window.end)}
        self._wait(self.client.start(self._dag(group), conf), what)

    def _finish(self, name: str) -> None:
        """Wait for the training that monitoring asked for, then for the promotion that training asked for."""
        for group in ("training", "promotion"):
            for run in self.client.unfinished(self._dag(group)):
                self._wait(run, f"{name}: {group}" + (", asked for by the probe" if group == "training" else ""))

    def _wait(self, run: Run, what: str) -> None:
        self.report(what)

        def say(tasks: list[dict[str, Any]]) -> None:
            running = sorted({task["task_id"] for task in tasks if task["state"] == "running"})
            if running:
                self.report(f"{what} ({', '.join(running)})")

        self.client.wait(run, seconds=_RUN_SECONDS, on_tasks=say)

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
