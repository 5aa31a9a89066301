"""Every step of the loop, killed again and again and then started twice at once, ends as if nothing had been."""

import multiprocessing
import os
import signal
from dataclasses import dataclass
from itertools import pairwise
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pytest
from tests.support import loop_steps

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
    "airloop.data.judgement",
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
    """What a home held after each step, the points of each step's work, and how many of its processes were killed."""

    states: dict[str, Any]
    points: dict[str, int]
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
    settings, ends = loop_steps.write_project(tmp_path_factory.mktemp("undisturbed"), REPOSITORY), Ends({}, {}, {})
    for step in loop_steps.STEPS:
        points = processes.Value("i", 0)
        assert _end(_start(processes, step, settings, None, points)) == 0
        ends.points[step], ends.states[step] = points.value, loop_steps.state_of(settings)
    return ends


@pytest.fixture(scope="module")
def killed(undisturbed: Ends, processes: ForkServerContext, tmp_path_factory: pytest.TempPathFactory) -> Ends:
    """Each time on what the kills before have left, each time later; at last two at once are let finish."""
    settings, ends = loop_steps.write_project(tmp_path_factory.mktemp("killed"), REPOSITORY), Ends({}, {}, {})
    for step in loop_steps.STEPS:
        codes = []
        for kill in range(KILLS):
            point = 1 + int(undisturbed.points[step] * (kill + 0.5) / KILLS)
            codes.append(_end(_start(processes, step, settings, point)))
        assert set(codes) <= {0, -signal.SIGKILL}
        assert [_end(run) for run in [_start(processes, step, settings) for _ in range(2)]] == [0, 0]
        ends.killed[step], ends.states[step] = codes.count(-signal.SIGKILL), loop_steps.state_of(settings)
    return ends


def _start(processes: ForkServerContext, step: str, settings: Settings, *points: Any) -> Any:
    run = processes.Process(target=loop_steps.run, args=(step, settings, *points))
    run.start()
    return run


def _end(run: Any) -> int:
    run.join()
    return int(run.exitcode)


def test_an_undisturbed_loop_does_something_in_every_step(undisturbed: Ends) -> None:
    states = list(undisturbed.states.values())
    assert all(before != after for before, after in pairwise(states))
    kinds = ["trained", "decision", "refitted", "intended", "done", "triage"]
    assert [kind for kind, _ in states[-1]["ledger"]] == kinds


@pytest.mark.parametrize("step", loop_steps.STEPS)
def test_a_step_killed_again_and_again_and_then_started_twice_at_once_ends_like_an_undisturbed_one(
    undisturbed: Ends, killed: Ends, step: str
) -> None:
    assert killed.states[step] == undisturbed.states[step]


def test_the_kills_met_every_step_at_work(killed: Ends) -> None:
    """A step's first kill always does; a later one finds less to do where an earlier one came after its last write."""
    assert min(killed.killed.values()) >= 1
    assert sum(killed.killed.values()) > len(loop_steps.STEPS) * KILLS * 3 / 4
