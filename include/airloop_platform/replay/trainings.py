"""The trainings of a replay and their promotions: the first, those that triage asks for, one that a person asks for."""

from datetime import datetime

from airloop.config import Pipeline
from airloop.records import Action, Decision, Window
from airloop.run.run_ids import as_run_id
from airloop.settings import Settings
from airloop.stores import ledger, state
from airloop_platform.replay import arrivals
from airloop_platform.replay.period import newest
from airloop_platform.replay.runs import Runs, replay_run_id, text


def hand_key(cutoff: datetime) -> str:
    """The reason's key of a training that a replay asks for by hand: the first one, or the one that is insisted on."""
    return f"by hand {text(cutoff)}"


class Trainings:
    """Starts or follows the trainings of a pipeline, and the promotions they ask for.

    Attributes:
        first_window: The first model is trained at the end of this window; None: as soon as there are enough rows.
        insists: In the first window in which triage asks for nothing, a training is asked for by hand all the same.
    """

    def __init__(
        self, pipeline: Pipeline, settings: Settings, runs: Runs, *, first_window: Window | None, insists: bool
    ) -> None:
        self.pipeline, self.settings, self.runs = pipeline, settings, runs
        self.first_window, self.insists = first_window, insists

    def first(self, window: Window, name: str) -> None:
        """Train the first model at the window's end, unless a champion was promoted or rows are lacking."""
        history = ledger.intact_history(self.settings, self.pipeline.name)
        if history.of("done") or (self.first_window and window.start < self.first_window.start):
            return
        lacking = ""
        if self.first_window is None:
            # pandas and scikit-learn: seconds that a person would wait for the first line.
            from airloop_platform.replay import first_training

            lacking = first_training.lacking(self.pipeline, window.end, history, self.settings)
        if lacking:
            self.runs.report(f"{name}: no champion yet, {lacking}")
            return
        self._train(window, name, "first training")

    def monitored(self, look: Window, name: str) -> None:
        """Monitoring, then the training it asks for, then the promotion that training asks for."""
        files = arrivals.files_digest(self.pipeline, look, self.settings)
        self.runs.over("monitoring", look, replay_run_id(look, files[:12]), f"{name}: monitoring")
        action: Action = newest(Action, "triage", self.pipeline, look, self.settings)
        if action.kind == "retrain":
            title = f"{name}: training, asked for by the probe"
            self.runs.follow("training", as_run_id(action.reason_key), title)
            self._promotion(look, name)

    def by_hand(self, window: Window, name: str) -> None:
        """Where a person insists, once: the training nobody else asks for."""
        if not self.insists:
            return
        rows = state.latest_records(self.settings, self.pipeline.name, "triage")
        quiet = [action.cutoff for action in map(Action.from_json, rows) if action.kind == "nothing"]
        if min(quiet, default=None) == window.end:
            self._train(window, name, "a training asked for by hand, although nothing is gained")

    def _train(self, window: Window, name: str, what: str) -> None:
        cutoff = text(window.end)
        conf = {"cutoff": cutoff, "reason": "hand", "reason_key": hand_key(window.end)}
        self.runs.take("training", conf, f"by_hand__{as_run_id(cutoff)}", f"{name}: {what}")
        self._promotion(window, name)

    def _promotion(self, window: Window, name: str) -> None:
        """Wait for the promotion of the newest decision of this cutoff, and for the person that it may ask."""
        trained = Window(self.pipeline.coverage.start, window.end)
        decision: Decision | None = newest(Decision, "decide", self.pipeline, trained, self.settings)
        if decision is None or not decision.passed:
            return
        if not self.runs.follow("promotion", f"decision__{decision.sequence}", f"{name}: promotion"):
            self.runs.report(f"{name}: version {decision.version} passed and is not promoted yet")
