"""A holdout with known answers for the gate's rules, and planted models: each is worse in one way."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from airloop.models.bootstrap import Bootstrap
from airloop.models.holdout import Holdout
from airloop.models.reserve import ReserveRows
from airloop.problems import Floats

DAYS, ROWS_A_DAY = 30, 200
RESERVE_DAYS = 20


def features() -> pd.DataFrame:
    """Four weeks of jobs: heat raises the risk, machine and site say nothing about it."""
    draw = np.random.default_rng(3)
    size = DAYS * ROWS_A_DAY
    frame = pd.DataFrame(
        {
            "decision_time": pd.date_range("2020-01-01", periods=size, freq=f"{86400 // ROWS_A_DAY}s", tz="UTC"),
            "heat": draw.uniform(-2, 2, size),
            "machine": draw.choice(["m0", "m1", "m2"], size, p=[0.5, 0.45, 0.05]),
            "site": draw.choice(["north", "south"], size),
        }
    )
    return frame.assign(label=(draw.random(size) < risk(frame)).astype(float))


def past() -> pd.DataFrame:
    """Rows of every tenth day before: half of them of a machine that is gone, when heat did a little less harm."""
    draw = np.random.default_rng(5)
    size = RESERVE_DAYS * ROWS_A_DAY
    heat = draw.uniform(-2, 2, size)
    frame = pd.DataFrame(
        {
            "day": np.repeat(10 * np.arange(RESERVE_DAYS), ROWS_A_DAY),
            "heat": heat,
            "machine": draw.choice(["m0", "m9"], size),
            "site": draw.choice(["north", "south"], size),
        }
    )
    return frame.assign(label=(draw.random(size) < risk(frame.assign(heat=heat - 0.125))).astype(float))


def risk(rows: pd.DataFrame) -> Floats:
    """The true probability."""
    return np.asarray(1 / (1 + np.exp(-1.5 * rows["heat"])), dtype=float)


def good(rows: pd.DataFrame) -> Floats:
    """A model that is nearly right."""
    return np.clip(risk(rows) + 0.02 * np.sin(7 * rows["heat"].to_numpy()), 0.01, 0.99)


def biased(rows: pd.DataFrame) -> Floats:
    """Wrong for one machine, in both directions alike, so that no average shows it."""
    return np.where(rows["machine"] == "m1", 0.5 * good(rows) + 0.25, good(rows))


def unfair(rows: pd.DataFrame) -> Floats:
    """Selects more in the south."""
    return np.clip(good(rows) + np.where(rows["site"] == "south", 0.15, -0.15), 0.01, 0.99)


def miscalibrated(rows: pd.DataFrame) -> Floats:
    """Ranks and decides as the good one, and is far too sure."""
    predicted = good(rows)
    return np.clip(0.5 + 1.8 * (predicted - 0.5), 0.01, 0.99)


def forgetful(rows: pd.DataFrame) -> Floats:
    """Has not seen the machine that is gone for long, and is wrong about it."""
    return np.where(rows["machine"] == "m9", 1 - good(rows), good(rows))


def constant(rows: pd.DataFrame) -> Floats:
    """Says the same of everything."""
    return np.full(len(rows), 0.5)


def careless(rows: pd.DataFrame) -> Floats:
    """Stays just below the threshold where it should act: its average loss hardly shows it."""
    predicted = good(rows)
    return np.where((predicted > 0.5) & (predicted < 0.75), 0.49, predicted)


def backwards(rows: pd.DataFrame) -> Floats:
    """Learned from shuffled labels: what it says has nothing to do with what happens."""
    return np.clip(0.5 + 0.3 * np.sin(1000 * rows["heat"].to_numpy()), 0.01, 0.99)


def kept_back(model: Any, champion: Any, *, days: int = RESERVE_DAYS, declared: bool = True) -> ReserveRows:
    """What both say of the newest reserve days; `declared` says whether the champion's training had any."""
    rows = past()
    rows = rows[rows["day"] >= 10 * (RESERVE_DAYS - days)]
    return ReserveRows(rows["label"].to_numpy(), rows["day"].to_numpy(), champion(rows), model(rows), declared)


def holdout(model: Any = good, champion: Any = good, **changes: Any) -> Holdout:
    """The holdout as evaluation has it of a model against a champion (None: there is none)."""
    rows = features()
    usual = Holdout(
        rows=rows,
        labels=rows["label"].to_numpy(),
        days=np.repeat(np.arange(DAYS), ROWS_A_DAY),
        candidate=model(rows),
        champion=None if champion is None else champion(rows),
        predict=model,
        features=("heat", "machine", "site"),
        metric="brier",
        sampled={"bootstrap": Bootstrap(0.95, 400, 1, expanded=True)},
        model_bytes=1_000_000,
        task="binary",
        reserve=None if champion is None else lambda: kept_back(model, champion),
    )
    return replace(usual, **changes)
