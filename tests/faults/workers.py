"""Faults planted in several processes at once, each in a home of its own."""

import logging
import multiprocessing
import sys
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from airloop.settings import apply_quiet_environment

from .reaction import Reaction
from .stand import Stand
from .table import FAULTS
from .year import Year, live_through


def reactions(
    stand: Stand, names: Sequence[str], folder: Path, *, workers: int, brief: bool = False
) -> Iterator[Reaction]:
    """The platform's reaction to each fault, in the order of the names."""
    react = partial(_react, stand, folder, brief=brief)
    if workers == 1 or len(names) == 1:
        yield from map(react, names)
        return
    with _pool(workers) as pool:
        yield from pool.map(react, names)


def everything(stand: Stand, folder: Path, *, workers: int, brief: bool) -> Iterator[Reaction | Year]:
    """The reaction to every fault and, last, the twelve months without one, which begin first: they take longest."""
    with _pool(workers) as pool:
        year = pool.submit(live_through, stand, folder / "year")
        yield from pool.map(partial(_react, stand, folder, brief=brief), FAULTS)
        yield year.result()


def quiet() -> None:
    """The environment of airloop's own processes, and no line of a library among those of the table."""
    apply_quiet_environment()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    # DuckDB takes a process without a main file for a person at a prompt, and draws progress bars.
    sys.modules["__main__"].__file__ = __file__


def _react(stand: Stand, folder: Path, name: str, *, brief: bool = False) -> Reaction:
    # Equal clean tables are scored and judged alike: what is harmless needs to be followed no further.
    fault, place = FAULTS[name], folder / f"fault-{list(FAULTS).index(name)}"
    return stand.react(fault, place, judged_only=fault.harmless and name != "none", brief=brief)


def _pool(workers: int) -> ProcessPoolExecutor:
    # Spawned: a process that is forked after polars has started its threads hangs.
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"), initializer=quiet)
