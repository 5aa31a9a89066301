"""What a look at 500 features costs, scores and page, against a look at 50."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from airloop.errors import DataContractError
from airloop.models.history import evenly
from airloop.problems import PREDICTION
from airloop.watch import drift, drift_report
from airloop.watch.drift import Reference, Sides
from benchmarks.row import Row, Trial, interleaved
from benchmarks.session import Session

NAME = "drift of 500 features and its page / of 50"
# Ten times as many scores, and half as many pictures.
BOUND = 5.0
UNIT = "s"

WIDE, NARROW, LEARNED, SEEN, SAMPLED = 500, 50, 100_000, 20_000, 5_000
_MOST_MEGABYTES = 10


@dataclass(frozen=True)
class Compared:
    """What a look has: bins of all rows learned from and a sample of them, as a champion's reference keeps them."""

    reference: Reference
    sampled: Sides
    now: Sides


def measure(_session: Session) -> Row:
    """Rows drawn at random, in which every tenth feature has moved. The reference is made before, as of a champion.

    Raises:
        DataContractError: A moved feature is not seen, or the page of the wide table is larger than 10 MB.
    """
    compared = {columns: _compared(columns) for columns in (WIDE, NARROW)}
    sizes = {columns: len(_look(sides).encode()) / 1e6 for columns, sides in compared.items()}
    if sizes[WIDE] > _MOST_MEGABYTES:
        raise DataContractError(f"the page of {WIDE} features has {sizes[WIDE]:.0f} MB")
    seconds = interleaved(lambda: _trial(compared[WIDE]), lambda: _trial(compared[NARROW]))
    note = (
        f"{LEARNED:,} rows learned from, {SEEN:,} seen, pictures of {SAMPLED:,}; pages of {sizes[WIDE]:.1f} and "
        f"{sizes[NARROW]:.1f} MB"
    )
    return Row(NAME, *seconds, bound=BOUND, unit=UNIT, note=note)


def _trial(compared: Compared) -> Trial:
    return lambda: _look(compared)


def _compared(columns: int) -> Compared:
    learned, now = _side(columns, LEARNED, seed=1, moved=0.0), _side(columns, SEEN, seed=2, moved=1.0)
    sampled = Sides(learned.features.iloc[evenly(LEARNED, SAMPLED)], learned.predictions)
    return Compared(drift.reference(learned), sampled, now)


def _side(columns: int, rows: int, *, seed: int, moved: float) -> Sides:
    draw = np.random.default_rng(seed)
    values = draw.normal(size=(rows, columns))
    values[:, ::10] += moved
    frame = pd.DataFrame(values, columns=[f"x{number:03}" for number in range(columns)])
    return Sides(frame, pd.Series(draw.uniform(size=rows), name=PREDICTION), frozenset())


def _look(compared: Compared) -> str:
    measured = drift.measure(compared.reference, compared.now, ignore=[], threshold=0.2)
    if len(measured.drifted) != compared.now.features.shape[1] // 10:
        raise DataContractError(f"{len(measured.drifted)} features are said to have moved")
    return drift_report.page(
        measured,
        (compared.sampled, compared.now),
        ignore=[],
        threshold=0.2,
        sample_rows=SAMPLED,
        seed=1,
        headline={"rows": f"{SEEN:,}"},
    )
