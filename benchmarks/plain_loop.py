"""The demo's months as a plain script: the same stages, called one after the other in one process, without Airflow.

`python -m benchmarks.plain_loop HOME MONTHS`; its last line is JSON: calls and seconds by stage. No tasks, no input
keys, no locks. Records are kept in the state database because stages look there for what earlier ones found; a stage
whose upstream record did not change is left out.
"""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from airloop.config import calendar_windows, load_pipeline
from airloop.data.inbox import waiting_windows
from airloop.data.ingest import ingest
from airloop.data.profile import profile
from airloop.data.validate_features import validate_features
from airloop.data.validate_raw import validate_raw
from airloop.deployment import Deployment
from airloop.features.build_features import build_features
from airloop.features.materialize import materialize
from airloop.gate.decide import decide
from airloop.gate.describe import describe
from airloop.gate.describe_refit import describe_refit
from airloop.gate.promote import promote
from airloop.gate.refit import refit
from airloop.models.estimators import resolve
from airloop.models.evaluate import evaluate
from airloop.models.snapshot import snapshot
from airloop.models.train import train
from airloop.models.tune import tune
from airloop.records import Action, Record, Window
from airloop.run import stage_run
from airloop.run.stages import STAGES
from airloop.serving.score import score
from airloop.settings import apply_quiet_environment
from airloop.stores import state
from airloop.watch.monitor import monitor
from airloop.watch.triage import triage
from benchmarks.flights import settings_below
from benchmarks.loop_profile import StageSeconds

FIRST_TRAINING_AFTER = 2
INPUTS_AHEAD = timedelta(days=2)


class PlainLoop:
    """One upstream system, one pipeline, and what was found so far."""

    def __init__(self, home: Path) -> None:
        self.settings = settings_below(home)
        self.pipeline = load_pipeline("flight_delays", self.settings)
        self.upstream = resolve(str(self.pipeline.replay))()
        self.built: dict[Window, tuple[Record, Record]] = {}
        self.calls = 0
        self.took = StageSeconds()
        self.insisted = False

    def run(self, months: int, say: Callable[[str], None]) -> None:
        """Take the first months of the coverage."""
        covered = Window(self.pipeline.coverage.start, self.pipeline.coverage.end)
        for number, window in enumerate(calendar_windows(self.pipeline.calendar, covered)[:months], start=1):
            say(f"{window.start:%B}")
            self.month(number, window)

    def month(self, number: int, window: Window) -> None:
        """Inputs land and are scored, outcomes land and are judged; a training when triage asks for it."""
        feeds = self.pipeline.feeds
        self.land([name for name in feeds if not feeds[name].outcome], window.end + INPUTS_AHEAD)
        if number > FIRST_TRAINING_AFTER:
            self.call(score, window)
        self.land(list(self.pipeline.outcome_feeds), window.end)
        if number == FIRST_TRAINING_AFTER:
            self.training_by_hand(window)
        if number > FIRST_TRAINING_AFTER:
            self.watch(window)

    def land(self, feeds: list[str], until: Any) -> None:
        """Have the files written, and take the windows that wait for them as far as the online store."""
        self.upstream.land(f"{self.settings.landing_uri}/{self.pipeline.name}", until=until, feeds=feeds)
        for waiting in waiting_windows(self.pipeline, self.settings):
            self.data(waiting.window)

    def data(self, window: Window) -> None:
        """Outcomes make no features: those that were built before are neither judged nor written again."""
        raw = self.call(validate_raw, window, ingested=self.call(ingest, window))
        built = self.call(build_features, window, raw=raw)
        before, features = self.built.get(window, (None, None))
        if built != before:
            features = self.call(validate_features, window, built=built)
            self.call(materialize, window, features=features)
            self.built[window] = built, features
        self.call(profile, window, raw=raw, features=features)

    def watch(self, window: Window) -> None:
        """Monitor, and train when a probe gains; the first time nothing is gained, a person insists."""
        action: Action = self.call(triage, window, monitored=self.call(monitor, window))
        if action.kind == "retrain":
            self.training(action.cutoff, reason="probe", reason_key=action.reason_key)
        elif action.kind == "nothing" and not self.insisted:
            self.insisted = True
            self.training_by_hand(window)

    def training_by_hand(self, window: Window) -> None:
        """The training a person asks for at the end of a window."""
        self.training(window.end, reason="hand", reason_key=f"by hand {window.end:%Y-%m-%dT%H:%M:%SZ}")

    def training(self, cutoff: Any, **options: Any) -> None:
        """Snapshot to decision, and the promotion of what passed."""
        window = Window(self.pipeline.coverage.start, cutoff)
        frozen = self.call(snapshot, window, options=options)
        candidates = self.pipeline.training.candidates
        tuned = tuple(self.call(tune, window, options={"candidate": name}, snapshot=frozen) for name in candidates)
        trained = self.call(train, window, snapshot=frozen, tuned=tuned)
        evaluated = self.call(evaluate, window, snapshot=frozen, trained=trained)
        decision: Any = self.call(decide, window, evaluated=evaluated)
        described = self.call(describe, window, snapshot=frozen, trained=trained, decision=decision)
        if decision.passed:
            refitted = self.call(refit, window, snapshot=frozen, trained=trained, decision=decision)
            self.call(describe_refit, window, described=described, refitted=refitted)
            self.call(promote, Window(window.start, decision.effective_at), decision=decision)

    def call(self, stage: Callable[..., Any], window: Window, options: Any = None, **handed: Any) -> Any:
        """Call a stage's function on what it looks up, and keep its record for the stages that look for it."""
        began = time.perf_counter()
        at, arguments = Deployment(self.pipeline, self.settings), {**handed, **(options or {})}
        known = STAGES[stage.__name__]
        record = stage_run.work(known, at, window, stage_run.looked_up(known, at, window, arguments), arguments)
        self.took.add(stage.__name__, time.perf_counter() - began)
        self.calls += 1
        place = (self.settings, self.pipeline.name, stage.__name__)
        state.save_record(*place, input_key=str(self.calls), window=window, record=record.to_json())
        return record


if __name__ == "__main__":
    apply_quiet_environment()
    loop = PlainLoop(Path(sys.argv[1]))
    loop.run(int(sys.argv[2]), lambda line: print(line, flush=True))
    print(json.dumps(asdict(loop.took)))
