"""A training that cannot fit into memory is refused before its features are read, and not killed hours later."""

from pathlib import Path

import psutil

from airloop.config import Pipeline
from airloop.errors import DataContractError
from airloop.models.documents import COMPONENTS

BYTES_A_VALUE = {"ordinal": 60, "target": 60, "one_hot": 80}
"""Of a row and feature at the peak of a fit, by encoder: the frame, what the encoder makes of it, the estimator's copy.
Measured with 40 columns of numbers: gradient boosting on 400,000 rows 58, a logistic regression on 200,000 rows 81."""
_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
_GIB = 2**30


def refuse_too_large(pipeline: Pipeline, *, rows: int, columns: int) -> None:
    """Refuse rows x columns x BYTES_A_VALUE of the costliest candidate > training.memory_gib, or what the machine has.

    Raises:
        DataContractError: Names the figures, and the number of rows that would fit.
    """
    declared = pipeline.training.memory_gib
    there = machine_memory() if declared is None else declared * _GIB
    needed = needed_bytes(pipeline, rows=rows, columns=columns)
    if needed <= there:
        return
    fits = int(rows * there / needed)
    whose = "the machine has" if declared is None else "training.memory_gib is"
    raise DataContractError(
        f"{pipeline.name}: {rows:,} rows of {columns} features take about {needed / _GIB:.1f} GiB to train on, {whose} "
        f"{there / _GIB:.1f}: set training.max_train_rows below {fits:,} (thinned evenly over time), or "
        "training.history_days"
    )


def needed_bytes(pipeline: Pipeline, *, rows: int, columns: int) -> float:
    """What the costliest candidate is expected to hold at the peak of its fit, beside the libraries."""
    a_value = max(BYTES_A_VALUE[candidate.encoder] for candidate in pipeline.training.candidates.values())
    dense = columns + COMPONENTS * len(pipeline.training.text)
    return float(rows) * dense * a_value


def machine_memory() -> float:
    """Bytes of this machine, or of the container that this process is in."""
    total = float(psutil.virtual_memory().total)
    for file in _LIMITS:
        try:
            text = file.read_text(encoding="ascii").strip()
        except OSError:
            continue
        if text.isdigit():
            total = min(total, float(text))
    return total
