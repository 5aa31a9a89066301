"""Every step of the loop, killed again and again and then started twice at once, ends as if nothing had been."""

import multiprocessing
import os
import signal
from dataclasses import dataclass, field
from itertools import pairwise
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pytest
from tests.support import loop_steps

from airloop.settings import Settings
from airloop_platform.airflow_config import airflow_local_settings

pytestmark = pytest.mark.integration

REPOSITORY = Path(__file__).resolve().parents[2]
KILLS = 3
# A step then takes about a second, and most of it is its own work.
PRELOADED = airflow_local_settings._PRELOAD
LARGE = 40
"""Modules: a library that a step imports for itself has fewer."""


@dataclass
class Ends:
    """What a home held after each step, and how many of its processes were killed.

    Attributes:
        points: Of each step's work.
        imported: Modules of the largest library that the step was not forked with.
    """

    states: dict[str, Any] = field(default_factory=dict)
    points: dict[str, int] = field(default_factory=dict)
    imported: dict[str, int] = field(default_factory=dict)
    killed: dict[str, int] = field(default_factory=dict)


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    steps = ("tests.support.imported_before", "tests.support.loop_steps")
    context.set_forkserver_preload(["airloop.feast_stores.feast_boot", *PRELOADED, *steps])
    first = context.Process(target=os.getpid)
    first.start()
    first.join()
    return context


@pytest.fixture(scope="module")
def undisturbed(processes: ForkServerContext, tmp_path_factory: pytest.TempPathFactory) -> Ends:
    settings, ends = loop_steps.write_project(tmp_path_factory.mktemp("undisturbed"), REPOSITORY), Ends()
    for step in loop_steps.STEPS:
        counts = processes.Array("i", 2)
        assert _end(_start(processes, step, settings, None, counts)) == 0
        ends.points[step], ends.imported[step] = counts
        ends.states[step] = loop_steps.state_of(settings)
    return ends


@pytest.fixture(scope="module")
def killed(undisturbed: Ends, processes: ForkServerContext, tmp_path_factory: pytest.TempPathFactory) -> Ends:
    """Each time on what the kills before have left, each time later; at last two at once are let finish."""
    settings, ends = loop_steps.write_project(tmp_path_factory.mktemp("killed"), REPOSITORY), Ends()
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


def test_no_step_imports_a_large_library_that_the_scheduler_has_not(undisturbed: Ends) -> None:
    """Each such import is paid by every task."""
    assert {step: modules for step, modules in undisturbed.imported.items() if modules >= LARGE} == {}


@pytest.mark.parametrize("step", loop_steps.STEPS)
def test_a_step_killed_again_and_again_and_then_started_twice_at_once_ends_like_an_undisturbed_one(
    undisturbed: Ends, killed: Ends, step: str
) -> None:
    assert killed.states[step] == undisturbed.states[step]


def test_the_kills_met_every_step_at_work(killed: Ends) -> None:
    """A step's first kill always does; a later one finds less to do where an earlier one came after its last write."""
    assert min(killed.killed.values()) >= 1
    assert sum(killed.killed.values()) > len(loop_steps.STEPS) * KILLS * 3 / 4
