"""Window after window: inputs land, data, scoring; outcomes land, monitoring, and whatever triage decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from airloop.config import Pipeline, calendar_windows
from airloop.config.calendar import is_period
from airloop.config.dag_ids import dag_of
from airloop.data import inbox
from airloop.records import Ingested, Scored, Window
from airloop.records.digests import digest
from airloop.settings import Settings
from airloop.stores import ledger, state
from airloop.stores.ledger import History
from airloop_platform.replay import arrivals, beyond
from airloop_platform.replay.airflow_client import AirflowClient
from airloop_platform.replay.approver import Approver
from airloop_platform.replay.period import Period, look_of, newest, period
from airloop_platform.replay.questions import Questions
from airloop_platform.replay.runs import GROUPS, Report, Runs, replay_run_id
from airloop_platform.replay.span import joined
from airloop_platform.replay.trainings import Trainings
from airloop_platform.supervisor import Platform

_NAMES = {"hourly": "%d %B %H:%M", "daily": "%d %B", "weekly": "%d %B", "monthly": "%B"}
_WINDOWS_BACK = 3
_DONE = "replay"
"""Under this name the state database keeps which windows a replay has taken, by the digest of their files."""


@dataclass(frozen=True)
class Staged:
    """What a person adds to a replay.

    Attributes:
        first_training: The first model is trained at the end of this window, and not as soon as there are rows.
        insists: In the first window in which triage asks for nothing, a training is asked for by hand all the same.
        asks_rows: So many of a window's rows are asked about over the API before they are scored in batch.
        approver: The second user who approves what waits for an approval; nobody where Airflow has no such login.
    """

    first_training: Window | None = None
    insists: bool = False
    asks_rows: int = 0
    approver: str = ""


def replay(
    pipeline: Pipeline,
    settings: Settings,
    platform: Platform,
    windows: Sequence[Window],
    *,
    report: Report,
    staged: Staged | None = None,
) -> tuple[Period, ...]:
    """Take the windows through the running Airflow, strictly in order.

    A window's inputs land and are scored before its outcomes land; then it is monitored, and what triage decides is
    done before the next window. Windows before the first one get their data and are not scored. Without a champion the
    first model is trained as soon as the declaration's rows and holdout are there.

    A window may be several periods of the calendar (`span.by_look`): they are one data run, one scoring.

    Killed anywhere and called again it goes on where it was: runs are found by their ids, stages by their input, and a
    window that was taken, with the same files, is not touched.

    The inbox is paused meanwhile. It stays so when windows beyond the last one taken had landed before: a replay takes
    them in order, scored before their outcomes are there, and the inbox would not.

    Raises:
        AirloopError: A DAG run failed; names the task, its error, and that the same command goes on.
    """
    staged = staged or Staged()
    with AirflowClient(platform) as client:
        client.wait_for_dags(tuple(dag_of(pipeline.name, group) for group in GROUPS))
        joins = any(not is_period(pipeline.calendar, window) for window in windows)
        approver = Approver.of(staged.approver, platform, settings)
        runs = Runs(pipeline, client, report, platform.serving_url, approver)
        stepper = _Stepper(pipeline, settings, runs, staged, joins=joins)
        # The replay starts the waiting windows itself, at the right moment of data time, and not when the bell rings.
        client.pause(dag_of(pipeline.name, "inbox"), paused=True)
        landed, periods = beyond.landed_until(pipeline, settings), list[Period]()
        try:
            for window in windows:
                periods.append(stepper.take(window))
            return tuple(periods)
        finally:
            since = periods[-1].window.end if periods else windows[0].start
            left = beyond.left(pipeline, settings, since=since, until=landed)
            client.pause(dag_of(pipeline.name, "inbox"), paused=bool(left))
            if left:
                report(beyond.note(pipeline, left))


class _Stepper:
    """One window after the other; holds how data arrive and how runs are started.

    Attributes:
        joins: The windows to take are several periods of the calendar each, and so are the data runs before them.
    """

    def __init__(self, pipeline: Pipeline, settings: Settings, runs: Runs, staged: Staged, *, joins: bool) -> None:
        self.pipeline, self.settings, self.runs = pipeline, settings, runs
        self.arrivals = arrivals.arrivals_of(pipeline, settings)
        self.questions = Questions(pipeline, settings, runs.serving_url, staged.asks_rows)
        first, insists = staged.first_training, staged.insists
        self.trainings = Trainings(pipeline, settings, runs, first_window=first, insists=insists)
        self.looked_back, self.joins = False, joins

    def take(self, window: Window) -> Period:
        """One window, in the order of data time."""
        done = arrivals.files_digest(self.pipeline, window, self.settings)
        if state.find_record(self.settings, self.pipeline.name, _DONE, done) is None:
            self._take(window)
            done = arrivals.files_digest(self.pipeline, window, self.settings)
            record = {"window": window.to_json()}
            state.save_record(self.settings, self.pipeline.name, _DONE, input_key=done, window=window, record=record)
        return period(self.pipeline, window, self.settings)

    def _take(self, window: Window) -> None:
        name, self.step, self.length = self._name(window), window, window.end - window.start
        self._inputs(window, name)
        if self._scores(window):
            self._has_data(window, name)
            self.questions.ask(window, self._history(), say=lambda what: self.runs.report(f"{name}: {what}"))
            self.runs.over("scoring", window, replay_run_id(window), f"{name}: scoring, no outcome has landed")
        self.runs.report(f"{name}: outcomes land")
        self.arrivals.outcomes(window)
        self._run_waiting(self._up_to(window.end), name)
        self._has_data(window, name)
        self.looked_back = True
        self.trainings.first(window, name)
        look = look_of(self.pipeline, window)
        if look is not None and self._history().champion(look.start) is not None:
            self.trainings.monitored(look, name)
        self.trainings.by_hand(window, name)

    def _inputs(self, window: Window, name: str) -> None:
        """The window's inputs; where its outcomes lie there too, a first run leaves them out, if there is a scoring."""
        self.runs.report(f"{name}: inputs land")
        self.arrivals.inputs(window)
        self._before_the_calendar(name)
        if not self.arrivals.lie_there(window):
            self._run_waiting(self._up_to(window.end), name)
            return
        if window.start > self.pipeline.coverage.start:
            self._run_waiting(self._up_to(window.start), name)
        if self._scores(window) and self._waits(window):
            what = f"{name}: data, its outcomes withheld"
            self.runs.over("data", window, replay_run_id(window, "withheld"), what, outcomes="withheld")

    def _before_the_calendar(self, name: str) -> None:
        """Data between a coverage that starts within a period and the first whole one: a training reads them, too."""
        start = self.pipeline.coverage.start
        first = calendar_windows(self.pipeline.calendar, Window(start, start + timedelta.resolution))[0]
        head = Window(start, first.end)
        if first.start != start and not self._ingested(head):
            self.runs.over("data", head, replay_run_id(head), f"{name}: data before the first whole window")

    def _scores(self, window: Window) -> bool:
        """Whether a champion is in force and has not scored the window: a calendar scores a window once, too."""
        if self._history().champion(window.start) is None:
            return False
        rows = state.latest_records(self.settings, self.pipeline.name, "score", window=window)
        return not any(scored.version and scored.mode == "live" for scored in map(Scored.from_json, rows))

    def _run_waiting(self, within: Window, name: str) -> None:
        """One data run per window that holds files nobody ingested, by the id it has in the inbox where it waits alone.

        Outcomes of a window's last evening land in the next one: the window before waits again, and gets its labels.
        """
        for window, run_id in self._waiting(within):
            self.runs.over("data", window, run_id, f"{name}: data of {self._name(window)}")
        for window in calendar_windows(self.pipeline.calendar, within) if self.arrivals.fetches else ():
            if within.start <= window.start and window.end <= within.end and not self._ingested(window):
                self.runs.over("data", window, replay_run_id(window), f"{name}: data of {self._name(window)}")

    def _waiting(self, within: Window) -> list[tuple[Window, str]]:
        """Windows that hold files nobody ingested, with the ids of their data runs; joined where the replay joins."""
        waiting = inbox.waiting_windows(self.pipeline, self.settings, within=within)
        if not self.joins:
            return [(item.window, item.run_id) for item in waiting]
        windows = calendar_windows(self.pipeline.calendar, within)
        before = [window for window in windows if within.start <= window.start < self.step.start]
        here = [self.step] if self.step.start < within.end else []
        inside = {
            span: [item.digest for item in waiting if span.start <= item.window.start < span.end]
            for span in (*joined(self.pipeline, before), *here)
        }
        return [(span, replay_run_id(span, digest(why)[:12])) for span, why in inside.items() if why]

    def _waits(self, window: Window) -> bool:
        waiting = inbox.waiting_windows(self.pipeline, self.settings, within=window)
        return bool(waiting) or (self.arrivals.fetches and not self._ingested(window))

    def _has_data(self, window: Window, name: str) -> None:
        """A window for which no file has landed waits for nothing: its data run says what that means."""
        if not self._ingested(window):
            self.runs.over("data", window, replay_run_id(window), f"{name}: data, although no new file has landed")

    def _ingested(self, window: Window) -> bool:
        return newest(Ingested, "ingest", self.pipeline, window, self.settings) is not None

    def _up_to(self, end: datetime) -> Window:
        """What to look through for waiting windows: all of the past once, then as far back as a lookback reaches."""
        coverage = self.pipeline.coverage.start
        if not self.looked_back:
            return Window(coverage, end)
        back = max(timedelta(days=self.pipeline.features.lookback_days), _WINDOWS_BACK * self.length)
        return Window(max(coverage, end - back), end)

    def _history(self) -> History:
        return ledger.intact_history(self.settings, self.pipeline.name)

    def _name(self, window: Window) -> str:
        return window.start.strftime(_NAMES[self.pipeline.calendar])
