"""Peak memory of a fit against the estimate that refuses a training: what is let in has to fit."""

import json
import subprocess
import sys

from airloop.config import Pipeline, load_pipeline
from airloop.errors import DataContractError
from airloop.models.memory import needed_bytes, refuse_too_large
from airloop.settings import load_settings
from benchmarks.row import Row
from benchmarks.session import Session

NAME = "peak memory of fitting 400,000 rows of 40 features / the memory below which a training of them is refused"
BOUND = 1.0
UNIT = "GiB"

_ROWS, _COLUMNS = 400_000, 40
_ASKED, _MOST_GIB = 10_000_000, 12
_CANDIDATE = "gradient_boosting"
_GIB = 2**30

_FIT = """
import json, resource, sys
import numpy as np, pandas as pd
from airloop.config import Pipeline
from airloop.models.estimators import fitted_model
pipeline = Pipeline.model_validate(json.load(sys.stdin))
rows, columns = int(sys.argv[1]), int(sys.argv[2])
draw = np.random.default_rng(1)
frame = pd.DataFrame({f"x{number}": draw.normal(size=rows) for number in range(columns)})
frame["label"] = (frame["x0"] + draw.normal(size=rows) > 0).astype("float64")
frame["decision_time"] = pd.date_range("2020-01-01", periods=rows, freq="s", tz="UTC")
fitted_model(pipeline, sys.argv[3], {"max_iter": 20}, frame)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


def measure(_session: Session) -> Row:
    """A process of its own each for an empty fit and the whole one; what the libraries take is not counted.

    Raises:
        DataContractError: Ten million rows are not refused below 12 GiB.
    """
    pipeline = load_pipeline("flight_delays", load_settings())
    says = _refusal(pipeline)
    held = _peak(pipeline, _ROWS) - _peak(pipeline, 1_000)
    note = (
        f"{_ROWS:,} rows of {_COLUMNS} numbers, gradient boosting. The estimate is proportional to rows x features: "
        f"{_ASKED:,} rows are refused with training.memory_gib {_MOST_GIB}, before their features are read: {says}"
    )
    counted = needed_bytes(_bounded(pipeline, _MOST_GIB), rows=_ROWS, columns=_COLUMNS)
    return Row(NAME, held / _GIB, counted / _GIB, bound=BOUND, unit=UNIT, note=note)


def _refusal(pipeline: Pipeline) -> str:
    try:
        refuse_too_large(_bounded(pipeline, _MOST_GIB), rows=_ASKED, columns=_COLUMNS)
    except DataContractError as error:
        return str(error)
    raise DataContractError(f"{_ASKED:,} rows of {_COLUMNS} features are not refused at {_MOST_GIB} GiB")


def _bounded(pipeline: Pipeline, memory_gib: float) -> Pipeline:
    """With the one candidate that is fitted."""
    candidates = {_CANDIDATE: pipeline.training.candidates[_CANDIDATE]}
    changed = {"memory_gib": memory_gib, "candidates": candidates}
    return pipeline.model_copy(update={"training": pipeline.training.model_copy(update=changed)})


def _peak(pipeline: Pipeline, rows: int) -> float:
    """Bytes that a process of its own held at most."""
    command = [sys.executable, "-c", _FIT, str(rows), str(_COLUMNS), _CANDIDATE]
    declared = json.dumps(pipeline.model_dump(mode="json"))
    done = subprocess.run(command, input=declared, capture_output=True, text=True, check=True)
    return float(done.stdout)
