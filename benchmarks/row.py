"""One line of the result: ours and a peer, measured in one run, their ratio, and the bound it has to keep."""

import gc
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Trial = Callable[[], object]


@dataclass(frozen=True)
class Row:
    """A measurement is of this machine at this moment; only the ratio of the two sides is judged.

    Attributes:
        name: ours / peer, in words.
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


def interleaved(ours: Callable[[], Trial], peer: Callable[[], Trial], *, repeats: int = 3) -> tuple[float, float]:
    """Seconds of the fastest trial of each side, which take turns at going first.

    Args:
        ours: Prepares a trial, which is not timed, and returns it; `peer` likewise.
        repeats: Trials of each side.
    """
    seconds: tuple[list[float], list[float]] = ([], [])
    for repeat in range(repeats):
        sides = [(ours, seconds[0]), (peer, seconds[1])]
        for prepare, times in sides if repeat % 2 == 0 else reversed(sides):
            trial = prepare()
            gc.collect()
            began = time.perf_counter()
            trial()
            times.append(time.perf_counter() - began)
    return min(seconds[0]), min(seconds[1])


def write_rows(path: Path, rows: Sequence[Row], *, names: Sequence[str]) -> None:
    """Put the rows in place of those of the same names that `path` holds; a reader sees the old file or the new one.

    Args:
        names: Of all rows there are, in their order; what the file holds under other names goes.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    stored = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    by_name = {row["name"]: row for row in [*stored, *(row.to_json() for row in rows)]}
    known = [by_name[name] for name in names if name in by_name]
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(known, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    partial.replace(path)
