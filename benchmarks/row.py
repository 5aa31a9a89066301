"""One line of the result: ours and a peer, measured in one run, their ratio, and the bound it has to keep."""

import gc
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPEATS = 3

Trial = Callable[[], object]


@dataclass(frozen=True)
class Row:
    """A measurement is of this machine at this moment; only the ratio of the two sides is judged.

    Attributes:
        ours: What airloop took, in `unit`; `peer` likewise.
        bound: `ok` when ours / peer <= bound. Below 1 it says how much faster ours has to be.
        note: What was compared, and what the ratio does and does not say.
    """

    name: str
    ours: float
    peer: float
    bound: float
    unit: str
    note: str

    @property
    def ratio(self) -> float:
        """Ours / peer; NaN when the peer took no time that could be measured."""
        return self.ours / self.peer if self.peer > 0 else math.nan

    @property
    def ok(self) -> bool:
        """Whether ratio <= bound; a NaN is not."""
        return self.ratio <= self.bound

    def to_json(self) -> dict[str, Any]:
        """The row as bench.json holds it; a NaN as null."""
        numbers = {"ours": self.ours, "peer": self.peer, "ratio": self.ratio}
        known = {name: None if math.isnan(value) else round(value, 4) for name, value in numbers.items()}
        return {"name": self.name, **known, "bound": self.bound, "ok": self.ok, "unit": self.unit, "note": self.note}


def interleaved(ours: Callable[[], Trial], peer: Callable[[], Trial]) -> tuple[float, float]:
    """Seconds of the fastest of three trials of each side, which take turns at going first.

    Args:
        ours: Prepares a trial, which is not timed, and returns it; `peer` likewise.
    """
    seconds: tuple[list[float], list[float]] = ([], [])
    for repeat in range(REPEATS):
        sides = [(ours, seconds[0]), (peer, seconds[1])]
        for prepare, taken in sides if repeat % 2 == 0 else reversed(sides):
            trial = prepare()
            gc.collect()
            began = time.perf_counter()
            trial()
            taken.append(time.perf_counter() - began)
    return min(seconds[0]), min(seconds[1])


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Put the rows in place of what `path` held; a reader sees the old ones or the new ones."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps([row.to_json() for row in rows], indent=2, allow_nan=False) + "\n", encoding="utf-8")
    partial.replace(path)
