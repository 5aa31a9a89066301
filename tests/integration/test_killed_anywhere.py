"""Every step of the loop, killed again and again and then started twice at once, ends as if nothing had been."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from multiprocessing.context import ForkServerContext
from pathlib import Path
from time import monotonic
from typing import Any

import loop_steps
import pytest

from airloop.settings import Settings

pytestmark = pytest.mark.integration

REPOSITORY = Path(__file__).resolve().parents[2]
KILLS = 3
# What the scheduler preloads too: a step then takes a second or two, and most of it is its own work.
PRELOADED = [
    "pandas",
    "pyarrow.dataset",
    "sklearn.ensemble",
    "sklearn.linear_model",
    "sklearn.compose",
    "sklearn.pipeline",
    "mlflow.sklearn",
    "great_expectations",
    "duckdb",
    "polars",
    "feast",
    "evidently.presets",
    "optuna",
    "skops.io",
    "matplotlib.figure",
    "loop_steps",
]


@dataclass
class Ends:
    """What a home held after each step, the seconds each step took, and how many of its processes were killed."""

    states: dict[str, Any]
    seconds: dict[str, float]
    killed: dict[str, int]


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["airloop.feast_stores.feast_boot", *PRELOADED])
    first = context.Process(target=os.getpid)
    first.start()
    first.join()
    return context


@pytest.fixture(scope="module")
def undisturbed(processes: ForkServerContext, tmp_path_factory: pytest.TempPathFactory) -> Ends:
    def once(step: str, settings: Settings, _seconds: float) -> int:
        run = _start(processes, step, settings)
        run.join()
        assert run.exitcode == 0
        return 0

    return _through_all(tmp_path_factory.mktemp("undisturbed"), once)


@pytest.fixture(scope="module")
def killed(undisturbed: Ends, processes: ForkServerContext, tmp_path_factory: pytest.TempPathFactory) -> Ends:
    def killed_often(step: str, settings: Settings, seconds: float) -> int:
        """Each time on what the kills before have left, each time later; at last two at once are let finish."""
        codes = []
        for kill in range(KILLS):
            run = _start(processes, step, settings)
            run.join(timeout=seconds * (kill + 0.5) / KILLS)
            run.kill()
            run.join()
            codes.append(run.exitcode)
        assert set(codes) <= {0, -signal.SIGKILL}
        last = [_start(processes, step, settings) for _ in range(2)]
        for run in last:
            run.join()
        assert [run.exitcode for run in last] == [0, 0]
        return codes.count(-signal.SIGKILL)

    return _through_all(tmp_path_factory.mktemp("killed"), killed_often, undisturbed.seconds)


def _start(processes: ForkServerContext, step: str, settings: Settings) -> Any:
    run = processes.Process(target=loop_steps.run, args=(step, settings))
    run.start()
    return run


def _through_all(
    folder: Path, work: Callable[[str, Settings, float], int], seconds: dict[str, float] | None = None
) -> Ends:
    settings, ends = loop_steps.write_project(folder, REPOSITORY), Ends({}, {}, {})
    for step in loop_steps.STEPS:
        began = monotonic()
        ends.killed[step] = work(step, settings, (seconds or {}).get(step, 0.0))
        ends.seconds[step] = monotonic() - began
        ends.states[step] = loop_steps.state_of(settings)
    return ends


def test_an_undisturbed_loop_does_something_in_every_step(undisturbed: Ends) -> None:
    states = list(undisturbed.states.values())
    assert all(before != after for before, after in pairwise(states))
    assert [kind for kind, _ in states[-1]["ledger"]] == ["decision", "intended", "done", "triage"]


@pytest.mark.parametrize("step", loop_steps.STEPS)
def test_a_step_killed_again_and_again_and_then_started_twice_at_once_ends_like_an_undisturbed_one(
    undisturbed: Ends, killed: Ends, step: str
) -> None:
    assert killed.states[step] == undisturbed.states[step]


def test_most_of_the_kills_met_a_step_at_work(killed: Ends) -> None:
    assert sum(killed.killed.values()) > len(loop_steps.STEPS) * KILLS / 2
