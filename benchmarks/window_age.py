"""What scoring, watching and judging an hour cost after 10,000 hourly windows, and after none."""

import gc
import time
from dataclasses import dataclass
from pathlib import Path

from tests.support import toy, toy_hours

from airloop.config import load_pipeline
from airloop.deployment import Deployment
from airloop.errors import DataContractError
from airloop.records import Decision, Record, Window
from airloop.run import stage_run
from airloop.settings import Settings
from airloop.stores import ledger
from benchmarks.past_windows import add_past
from benchmarks.row import Row
from benchmarks.session import Session

NAME = "decide, promote, score, monitor and triage after 10,000 hourly windows / after none (the one that grows most)"
BOUND = 1.5
UNIT = "s"

WINDOWS, TRIALS = 10_000, 4
CUTOFF, LIVE, LOOK, HOUR = toy.days(0, 24), toy.days(24, 37), toy.days(37, 38), toy_hours.hour(37, 23)
MEASURED = {"decide": CUTOFF, "promote": CUTOFF, "score": HOUR, "monitor": LOOK, "triage": LOOK}
"""In their order; each over its window."""

_REPOSITORY = Path(__file__).resolve().parents[1]
_DATA = ("ingest", "validate_raw", "build_features", "validate_features")


def measure(session: Session) -> Row:
    """The processor's time of each stage in this process, the least of a few; both homes come to the same records.

    Raises:
        DataContractError: They do not.
    """
    folder = session.folder("window_age")
    session.say("an hourly pipeline as far as an evaluated version")
    young = evaluated(folder / "young")
    whole = toy.copied(young, folder / "whole")
    judge_and_watch(whole)
    session.say(f"{WINDOWS:,} hours before it, each with the records of eight stages and its entry of the ledger")
    old = toy.copied(young, folder / "old")
    add_past(old, whole, toy_hours.STAYS, hour=HOUR, look=LOOK, windows=WINDOWS)
    for settings in (old, young):
        ledger.require_intact(settings, toy_hours.STAYS)  # as the stages of the hours before leave it: sealed
    old_side, young_side = _least(old, young, folder)
    _refuse_other_work(old_side, young_side)
    seconds = {stage: (old_side.seconds[stage], young_side.seconds[stage]) for stage in MEASURED}
    worst = max(MEASURED, key=lambda stage: seconds[stage][0] / seconds[stage][1])
    each = ", ".join(f"{stage} {now:.2f} / {before:.2f} s" for stage, (now, before) in seconds.items())
    ours, peer = seconds[worst]
    return Row(NAME, ours, peer, BOUND, UNIT, f"{worst}; processor time, what a check starts left out: {each}")


@dataclass(frozen=True)
class Side:
    """What the stages of one home took and left.

    Attributes:
        seconds: Of each stage, of the processor.
    """

    seconds: dict[str, float]
    records: dict[str, Record]


def evaluated(root: Path) -> Settings:
    """The toy by the hour: 38 days of features, the newest hour by itself, and a version that waits for its gate."""
    settings = toy.write_project(root / "project", _REPOSITORY)
    toy_hours.declare(settings)
    toy_hours.land(settings, toy_hours.STAYS, HOUR.end)
    for window in (Window(CUTOFF.start, HOUR.start), HOUR):
        for stage in _DATA:
            _run(settings, stage, window)
    _run(settings, "snapshot", CUTOFF, reason="hand")
    _run(settings, "tune", CUTOFF, candidate="logistic_regression")
    for stage in ("train", "evaluate"):
        _run(settings, stage, CUTOFF)
    return settings


def judge_and_watch(*homes: Settings) -> list[Side]:
    """The stages that are measured, in their order, each in one home after the other.

    What the champion scored before the hour is not part of it.

    Raises:
        DataContractError: The gate does not pass the version.
    """
    sides = [Side({}, {}) for _ in homes]
    for stage, window in MEASURED.items():
        for settings, side in zip(homes, sides, strict=True):
            if stage == "score":
                _run(settings, "score", LIVE)
            gc.collect()
            gc.freeze()  # as Airflow's executor does before it forks what runs this
            began = time.process_time()
            side.records[stage] = _run(settings, stage, window)
            side.seconds[stage] = time.process_time() - began
            gc.unfreeze()
            decision = side.records["decide"]
            if isinstance(decision, Decision) and not decision.passed:
                raise DataContractError(f"the version of the benchmark was not passed: {decision.why}")
    return sides


def _run(settings: Settings, stage: str, window: Window, **options: object) -> Record:
    at = Deployment(load_pipeline(toy_hours.STAYS, settings), settings)
    upstream = stage_run.stored_upstream(stage, at, window)
    return stage_run.run_stage(stage, at, window, upstream=upstream, **options)


def _least(old: Settings, young: Settings, folder: Path) -> tuple[Side, Side]:
    """Both homes in turn, the other one first in each trial; each in a copy, so that no stage finds its work done."""
    trials: tuple[list[Side], list[Side]] = ([], [])
    for trial in range(TRIALS):
        order = [(old, trials[0]), (young, trials[1])][:: -1 if trial % 2 else 1]
        homes = [toy.copied(settings, folder / f"{settings.project_dir.name} {trial}") for settings, _ in order]
        for (_, sides), side in zip(order, judge_and_watch(*homes), strict=True):
            sides.append(side)
    least = ({stage: min(side.seconds[stage] for side in sides) for stage in MEASURED} for sides in trials)
    old_seconds, young_seconds = least
    return Side(old_seconds, trials[0][0].records), Side(young_seconds, trials[1][0].records)


def _refuse_other_work(old: Side, young: Side) -> None:
    for stage in MEASURED:
        left, right = (said_of(side.records[stage]) for side in (old, young))
        if left != right:
            raise DataContractError(f"{stage} says {left} after {WINDOWS:,} windows, and {right} after none")


def said_of(record: Record) -> str:
    """What a record says that does not depend on where in the ledger it stands."""
    parts = ("outcome", "version", "kind", "why", "rows", "live", "alarms", "quality")
    return str({name: getattr(record, name) for name in parts if hasattr(record, name)})
