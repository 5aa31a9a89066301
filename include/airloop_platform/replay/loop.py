"""Window after window: inputs land, data, scoring; outcomes land, monitoring, and whatever triage decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from airloop.config import Pipeline, calendar_windows
from airloop.config.calendar import is_period
from airloop.data import inbox
from airloop.records import Action, Decision, Ingested, Scored, Window
from airloop.records.digests import digest
from airloop.run.run_ids import as_run_id
from airloop.settings import Settings
from airloop.stores import ledger, state
from airloop.stores.ledger import History
from airloop_platform.replay import arrivals, beyond
from airloop_platform.replay.airflow_client import AirflowClient
from airloop_platform.replay.period import Period, look_of, newest, period
from airloop_platform.replay.questions import Questions
from airloop_platform.replay.runs import GROUPS, Report, Runs, text, window_run_id
from airloop_platform.replay.span import joined
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
    """

    first_training: Window | None = None
    insists: bool = False
    asks_rows: int = 0


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
    with AirflowClient(platform) as client:
        client.wait_for_dags(tuple(f"{pipeline.name}__{group}" for group in GROUPS))
        joins = any(not is_period(pipeline.calendar, window) for window in windows)
        runs = Runs(pipeline, client, report, platform.serving_url)
        stepper = _Stepper(pipeline, settings, runs, staged or Staged(), joins=joins)
        # The replay starts the waiting windows itself, at the right moment of data time, and not when the bell rings.
        client.pause(f"{pipeline.name}__inbox", paused=True)
        landed, taken = beyond.landed_until(pipeline, settings), list[Period]()
        try:
            for window in windows:
                taken.append(stepper.take(window))
            return tuple(taken)
        finally:
            since = taken[-1].window.end if taken else windows[0].start
            left = beyond.left(pipeline, settings, since=since, until=landed)
            client.pause(f"{pipeline.name}__inbox", paused=bool(left))
            if left:
                report(beyond.note(pipeline, left))


class _Stepper:
    """One window after the other; holds how data arrive and how runs are started.

    Attributes:
        joins: The windows to take are several periods of the calendar each, and so are the data runs before them.
    """

    def __init__(self, pipeline: Pipeline, settings: Settings, runs: Runs, staged: Staged, *, joins: bool) -> None:
        self.pipeline, self.settings, self.runs, self.staged = pipeline, settings, runs, staged
        self.arrivals = arrivals.arrivals_of(pipeline, settings)
        self.questions = Questions(pipeline, settings, runs.serving_url, staged.asks_rows)
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
            self.runs.over("scoring", window, window_run_id(window), f"{name}: scoring, no outcome has landed")
        self.runs.report(f"{name}: outcomes land")
        self.arrivals.outcomes(window)
        self._run_waiting(self._up_to(window.end), name)
        self._has_data(window, name)
        self.looked_back = True
        self._first_training(window, name)
        look = look_of(self.pipeline, window)
        if look is not None and self._history().champion(look.start) is not None:
            self._monitor(look, name)
        if self._insists(window):
            self._train(window, f"{name}: a training asked for by hand, although nothing is gained")

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
            self.runs.over("data", window, f"{window_run_id(window)}__withheld", what, outcomes="withheld")

    def _before_the_calendar(self, name: str) -> None:
        """Data between a coverage that starts within a period and the first whole one: a training reads them, too."""
        start = self.pipeline.coverage.start
        first = calendar_windows(self.pipeline.calendar, Window(start, start + timedelta.resolution))[0]
        head = Window(start, first.end)
        if first.start != start and not self._ingested(head):
            self.runs.over("data", head, window_run_id(head), f"{name}: data before the first whole window")

    def _scores(self, window: Window) -> bool:
        """Whether a champion is in force and has not scored the window: a calendar scores a window once, too."""
        if self._history().champion(window.start) is None:
            return False
        rows = state.latest_records(self.settings, self.pipeline.name, "score", window=window)
        return not any(scored.version and scored.mode == "live" for scored in map(Scored.from_json, rows))

    def _monitor(self, look: Window, name: str) -> None:
        """Monitoring, then the training it asks for, then the promotion that training asks for."""
        files = arrivals.files_digest(self.pipeline, look, self.settings)
        self.runs.over("monitoring", look, f"{window_run_id(look)}__{files[:12]}", f"{name}: monitoring")
        action: Action = newest(Action, "triage", self.pipeline, look, self.settings)
        if action.kind == "retrain":
            asked = f"{name}: training, asked for by the probe"
            self.runs.follow("training", as_run_id(action.reason_key), asked)
            self._promotion(look, name)

    def _first_training(self, window: Window, name: str) -> None:
        history = self._history()
        if history.of("done") or (self.staged.first_training and window.start < self.staged.first_training.start):
            return
        lacking = "" if self.staged.first_training else self._lacking(window, history)
        if lacking:
            self.runs.report(f"{name}: no champion yet, {lacking}")
            return
        self._train(window, f"{name}: first training")

    def _lacking(self, window: Window, history: History) -> str:
        # pandas and scikit-learn: seconds that a person would wait for the first line.
        from airloop_platform.replay import first_training

        return first_training.lacking(self.pipeline, window.end, history, self.settings)

    def _train(self, window: Window, what: str) -> None:
        cutoff = text(window.end)
        conf = {"cutoff": cutoff, "reason": "hand", "reason_key": f"by hand {cutoff}"}
        self.runs.take("training", conf, f"by_hand__{as_run_id(cutoff)}", what)
        self._promotion(window, self._name(window))

    def _promotion(self, window: Window, name: str) -> None:
        """Wait for the promotion of the newest decision of this cutoff; one that waits for a person is left to wait."""
        trained = Window(self.pipeline.coverage.start, window.end)
        decision: Decision | None = newest(Decision, "decide", self.pipeline, trained, self.settings)
        if decision is None or not decision.passed:
            return
        if not self.runs.follow("promotion", f"decision__{decision.sequence}", f"{name}: promotion"):
            self.runs.report(f"{name}: version {decision.version} passed and is not promoted yet")

    def _insists(self, window: Window) -> bool:
        """Whether this is the first window in which triage asked for nothing: there a person insists, once."""
        if not self.staged.insists:
            return False
        rows = state.latest_records(self.settings, self.pipeline.name, "triage")
        quiet = [action.cutoff for action in map(Action.from_json, rows) if action.kind == "nothing"]
        return min(quiet, default=None) == window.end

    def _run_waiting(self, within: Window, name: str) -> None:
        """One data run per window that holds files nobody ingested, as the inbox would start them (same run ids).

        Outcomes of a window's last evening land in the next one: the window before waits again, and gets its labels.
        """
        for window, run_id in self._waiting(within):
            self.runs.over("data", window, run_id, f"{name}: data of {self._name(window)}")
        for window in calendar_windows(self.pipeline.calendar, within) if self.arrivals.fetches else ():
            if within.start <= window.start and window.end <= within.end and not self._ingested(window):
                self.runs.over("data", window, window_run_id(window), f"{name}: data of {self._name(window)}")

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
        return [(span, f"{window_run_id(span)}__{digest(why)[:12]}") for span, why in inside.items() if why]

    def _waits(self, window: Window) -> bool:
        waiting = inbox.waiting_windows(self.pipeline, self.settings, within=window)
        return bool(waiting) or (self.arrivals.fetches and not self._ingested(window))

    def _has_data(self, window: Window, name: str) -> None:
        """A window for which no file has landed waits for nothing: its data run says what that means."""
        if not self._ingested(window):
            self.runs.over("data", window, window_run_id(window), f"{name}: data, although no file has landed")

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
