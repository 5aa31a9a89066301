"""Which form serves a version: a fast one where its answers equal the pipeline's, else the pipeline itself.

Compared are real rows (of the holdout where its file is there, and the model's input example) and probes: every feature
missing, empty and unseen texts, thresholds' neighbourhoods and extreme numbers, each row alone and all at once.
"""

import logging
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from airloop.models.model_version import ModelVersion
from airloop.problems import Floats, Task
from airloop.serving.forms.linear import linear_form
from airloop.serving.forms.trees import tree_form
from airloop.serving.inputs import Inputs

logger = logging.getLogger(__name__)

Rows = Sequence[Mapping[str, Any]]
PIPELINE = "pipeline"
TOLERANCE = 1e-12
_PROBES, _ALONE = 200, 40
_BUILDERS: dict[str, Callable[[Any, Any], Callable[[Rows], npt.NDArray[np.float64]]]] = {
    "trees": tree_form,
    "linear": linear_form,
}
_EXTREMES = (0.0, -0.0, 1.0, -1.0, 0.5, 1e-9, -1e6, 1e6, 3e38, -3e38, None)


@dataclass(frozen=True)
class Form:
    """How a version answers.

    Attributes:
        name: `trees`, `linear` or `pipeline`.
        predict: Rows by the model's columns -> predictions as the task says.
        why: Why no fast form is used; empty where one is.
    """

    name: str
    predict: Callable[[Rows], Floats]
    why: str = ""

    @property
    def fast(self) -> bool:
        """Whether a row costs microseconds."""
        return self.name != PIPELINE


def chosen_form(model: ModelVersion, inputs: Inputs, task: Task, real_rows: Rows) -> Form:
    """The first fast form that agrees with the pipeline within TOLERANCE on all rows, or the pipeline."""
    by_pipeline = _by_pipeline(model, inputs, task)
    rows = [*real_rows, *probes(inputs, real_rows)]
    whys = []
    for name, build in _BUILDERS.items():
        try:
            predict = _of_task(build(*_steps(model.model)), model, task)
            if why := difference(predict, by_pipeline, rows):
                whys.append(f"{name}: {why}")
                continue
        except Exception as error:  # private fields of a library: whatever is other than expected, the pipeline serves
            whys.append(f"{name}: {type(error).__name__}: {error}")
            continue
        return Form(name, predict)
    why = "; ".join(whys)
    logger.info("version %d is served by its pipeline: %s", model.version, why)
    return Form(PIPELINE, by_pipeline, why)


def difference(fast: Callable[[Rows], Floats], slow: Callable[[Rows], Floats], rows: Rows) -> str:
    """Where two forms differ by more than TOLERANCE; empty where they agree on the rows together and alone."""
    if not rows:
        return "there are no rows to compare on"
    wanted = slow(rows)
    alone = np.concatenate([fast([row]) for row in rows[-_ALONE:]])
    for found, expected in ((fast(rows), wanted), (alone, wanted[-_ALONE:])):
        if found.shape != expected.shape or not np.isfinite(found).all():
            return f"answers of shape {found.shape}, expected {expected.shape}, or one that is not finite"
        apart = np.abs(found - expected) / np.maximum(1.0, np.abs(expected))
        if apart.max() > TOLERANCE:
            return f"differs from the pipeline by {apart.max():.3g}"
    return ""


def probes(inputs: Inputs, real_rows: Rows) -> list[dict[str, Any]]:
    """Made-up rows: missing, empty, unseen and extreme values, alone and mixed with real ones."""
    draw = random.Random(7)
    seen = {name: [row[name] for row in real_rows] or [None] for name in inputs.columns}
    rows: list[dict[str, Any]] = [dict.fromkeys(inputs.columns)]
    for _ in range(_PROBES):
        share = draw.random()
        rows.append(
            {
                name: _strange(name, inputs, draw) if draw.random() < share else draw.choice(seen[name])
                for name in inputs.columns
            }
        )
    return rows


def _strange(name: str, inputs: Inputs, draw: random.Random) -> Any:
    if name not in inputs.categorical:
        return draw.choice(_EXTREMES)
    flag = inputs.by_name[name].kind == "flag"
    return draw.choice((True, False, None) if flag else (None, "", "never seen", "None", "nan", "é"))


def _steps(model: Any) -> tuple[Any, Any]:
    (_, encoder), (_, estimator) = model.steps
    return encoder, estimator


def _by_pipeline(model: ModelVersion, inputs: Inputs, task: Task) -> Callable[[Rows], Floats]:
    def predict(rows: Rows) -> Floats:
        return task.predict(model.model, inputs.table(rows).to_pandas())

    return predict


def _of_task(
    predict: Callable[[Rows], npt.NDArray[np.float64]], model: ModelVersion, task: Task
) -> Callable[[Rows], Floats]:
    """Probabilities of all the model's classes, or values, as the task wants them."""
    if task.kind == "regression":
        return lambda rows: predict(rows)[:, 0]
    numbers = np.asarray(model.model.classes_, dtype=np.int64)
    if task.kind == "binary":
        if numbers.tolist() != [0, 1]:
            raise ValueError(f"classes {numbers.tolist()}")
        return lambda rows: predict(rows)[:, 1]

    def spread(rows: Rows) -> Floats:
        found = np.zeros((len(rows), len(task.classes)))
        found[:, numbers] = predict(rows)
        return found

    return spread
