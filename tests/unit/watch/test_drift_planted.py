"""Drift over planted shifts and over none, from 500 to 50,000 rows: what is found, and how often without a cause."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from airloop.watch.drift import Sides, measure, reference

THRESHOLD = 0.1
Draw = Callable[[np.random.Generator, int, float], object]


def _zeros(draw: np.random.Generator, rows: int, shift: float) -> object:
    return np.where(draw.uniform(size=rows) < 0.93 - shift, 0.0, draw.exponential(size=rows))


def _cities(draw: np.random.Generator, rows: int, shift: float) -> object:
    weights = 1 / np.arange(1, 21)
    weights[0] += shift * weights.sum()
    return draw.choice([f"city {number}" for number in range(20)], rows, p=weights / weights.sum())


def _holes(draw: np.random.Generator, rows: int, shift: float) -> object:
    return np.where(draw.uniform(size=rows) < 0.05 + shift, np.nan, draw.normal(size=rows))


# What is drawn, and a shift whose PSI is about twice the threshold at any number of rows.
COLUMNS: dict[str, tuple[Draw, float, bool]] = {
    "bell": (lambda draw, rows, shift: draw.normal(shift, 1, rows), 0.6, False),
    "heavy tail": (lambda draw, rows, shift: draw.lognormal(shift, 2, rows), 1.2, False),
    "mostly zero": (_zeros, 0.2, False),
    "counts": (lambda draw, rows, shift: draw.poisson(3 + shift, rows).astype(float), 1.1, False),
    "flag": (lambda draw, rows, shift: (draw.uniform(size=rows) < 0.1 + shift).astype(float), 0.2, False),
    "missing": (_holes, 0.2, False),
    "cities": (_cities, 0.6, True),
    "tail of names": (lambda draw, rows, shift: np.char.mod("%d", draw.zipf(1.8 + shift, rows)), 0.8, True),
}
# Rows a side -> repetitions, and the share of planted shifts that has to be found.
SIZES = {500: (20, 0.9), 2_000: (20, 1.0), 10_000: (4, 1.0), 50_000: (2, 1.0)}


def shares_called_drifted(kind: str, rows: int, *, reference_rows: int | None = None) -> tuple[float, float]:
    """How often a column is called drifted: without a shift, and with the planted one."""
    column, planted, category = COLUMNS[kind]
    repetitions = SIZES[rows][0]
    called = []
    for shift in (0.0, planted):
        hits = 0
        for seed in range(repetitions):
            draw = np.random.default_rng(seed)
            then, now = (
                pd.DataFrame({kind: column(draw, count, moved)})
                for count, moved in ((reference_rows or rows, 0.0), (rows, shift))
            )
            nothing = pd.Series(dtype="float64")
            before = reference(Sides(then, nothing, (kind,) if category else ()))
            hits += bool(measure(before, Sides(now, nothing), ignore=(), threshold=THRESHOLD).drifted)
        called.append(hits / repetitions)
    return called[0], called[1]


@pytest.mark.parametrize("rows", SIZES)
@pytest.mark.parametrize("kind", COLUMNS)
def test_planted_shifts_are_found_at_every_size_and_none_is_found_where_there_is_none(kind: str, rows: int) -> None:
    without, planted = shares_called_drifted(kind, rows)
    assert without == 0.0
    assert planted >= SIZES[rows][1]


@pytest.mark.parametrize("kind", COLUMNS)
def test_a_small_window_against_a_large_reference_gives_no_false_alarm(kind: str) -> None:
    without, planted = shares_called_drifted(kind, 500, reference_rows=20_000)
    assert without == 0.0
    assert planted >= 0.9
