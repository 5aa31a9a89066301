"""Which form serves a version: a fast one where its answers equal the pipeline's, else the pipeline itself.

Compared are real rows (of the holdout where its file is there, and the model's input example) and made-up ones: every
feature missing, empty and unseen texts, extreme numbers, and numbers at the thresholds of trees and just beside them;
all at once, and some alone.
"""

import logging
import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from airloop.models.forms.columns import Columns, Rows
from airloop.models.forms.linear import Linear, linear_form
from airloop.models.forms.trees import Trees, tree_form
from airloop.models.forms.vote import Together, vote_form
from airloop.problems import Floats, Task

logger = logging.getLogger(__name__)

PIPELINE = "pipeline"
TOLERANCE = 1e-12
_PROBES, _ALONE, _EDGES = 200, 40, 200
_CELLS, _FEWEST = 200_000, 50
_BUILDERS: dict[str, Callable[[Any, Any], Any]] = {"trees": tree_form, "linear": linear_form}
_OF_VOTES: dict[str, Callable[[Any, Any], Any]] = {"vote": vote_form}
_EXTREMES = (0.0, -0.0, 1.0, -1.0, 0.5, 1e-9, -1e6, 1e6, 3e38, -3e38, None)


@dataclass(frozen=True)
class Form:
    """How a version answers.

    Attributes:
        name: `trees`, `linear`, `vote` or `pipeline`.
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


@dataclass(frozen=True)
class Fast:
    """A fast form's predictions in the terms of the task.

    Attributes:
        scorer: Rows -> values (n, 1), or probabilities of the classes it met.
        numbers: Those classes' numbers; empty of a regression.
        classes: How many the task has; 0 of a regression.
    """

    scorer: Trees | Linear | Together
    kind: str
    numbers: tuple[int, ...]
    classes: int

    def __post_init__(self) -> None:
        if self.kind == "binary" and self.numbers != (0, 1):
            raise ValueError(f"classes {list(self.numbers)}")

    def __call__(self, rows: Rows) -> Floats:
        """Predictions as the task has them."""
        scores = self.scorer(rows)
        if self.kind == "regression":
            return scores[:, 0]
        if self.kind == "binary":
            return scores[:, 1]
        spread = np.zeros((len(rows), self.classes))
        spread[:, list(self.numbers)] = scores
        return spread


def chosen_form(model: Any, columns: Columns, task: Task, real_rows: Rows) -> Form:
    """The first fast form of a fitted pipeline that agrees with it within TOLERANCE on all rows, or the pipeline."""
    by_pipeline = pipeline_form(model, columns, task).predict
    rows = [*real_rows, *probes(columns, real_rows)]
    whys = []
    encoder, estimator = _steps(model)
    for name, build in (_BUILDERS if encoder is not None else _OF_VOTES).items():
        try:
            predict = Fast(build(encoder, estimator), task.kind, _class_numbers(model, task), len(task.classes))
            compared = [*rows, *edges(predict.scorer, real_rows)]
            if why := difference(predict, by_pipeline, compared):
                whys.append(f"{name}: {why}")
                continue
        except Exception as error:  # private fields of a library: whatever is other than expected, the pipeline serves
            whys.append(f"{name}: {type(error).__name__}: {error}")
            continue
        return Form(name, predict)
    why = "; ".join(whys)
    logger.info("served by the pipeline itself: %s", why)
    return Form(PIPELINE, by_pipeline, why)


def pipeline_form(model: Any, columns: Columns, task: Task, why: str = "") -> Form:
    """The pipeline itself, behind a data frame."""
    return Form(PIPELINE, lambda rows: task.predict(model, columns.table(rows).to_pandas()), why)


def difference(fast: Callable[[Rows], Floats], slow: Callable[[Rows], Floats], rows: Rows) -> str:
    """Where two forms differ by more than TOLERANCE; empty where they agree on the rows together and alone."""
    if not rows:
        return "there are no rows to compare on"
    expected_answers = slow(rows)
    alone = np.concatenate([fast([row]) for row in rows[-_ALONE:]])
    for answers, expected in ((fast(rows), expected_answers), (alone, expected_answers[-_ALONE:])):
        if answers.shape != expected.shape or not np.isfinite(answers).all():
            return f"answers of shape {answers.shape}, expected {expected.shape}, or one that is not finite"
        apart = np.abs(answers - expected) / np.maximum(1.0, np.abs(expected))
        if apart.max() > TOLERANCE:
            return f"differs from the pipeline by {apart.max():.3g}"
    return ""


def probes(columns: Columns, real_rows: Rows) -> list[dict[str, Any]]:
    """Made-up rows: missing, empty, unseen and extreme values, alone and mixed with real ones."""
    draw = random.Random(7)
    values = {name: [row[name] for row in real_rows] or [None] for name in columns.names}
    rows: list[dict[str, Any]] = [dict.fromkeys(columns.names)]
    for _ in range(fewer(_PROBES, len(columns.names))):
        share = draw.random()
        rows.append(
            {
                name: _strange(name, columns, draw) if draw.random() < share else draw.choice(values[name])
                for name in columns.names
            }
        )
    return rows


def edges(scorer: Trees | Linear | Together, real_rows: Rows) -> list[dict[str, Any]]:
    """Real rows with one number each put at a threshold of the trees, or the next float to either side of it."""
    if isinstance(scorer, Together):
        return [row for part in scorer.parts for row in edges(part, real_rows)]
    if isinstance(scorer, Linear) or not real_rows:
        return []
    draw, texts = random.Random(11), len(scorer.encoder.texts)
    nodes = np.flatnonzero((scorer.feature >= texts) & np.isfinite(scorer.threshold)).tolist()
    rows = []
    for node in draw.sample(nodes, min(fewer(_EDGES, len(real_rows[0])), len(nodes))):
        name, edge = scorer.encoder.numbers[int(scorer.feature[node]) - texts], float(scorer.threshold[node])
        beside = (edge, math.nextafter(edge, math.inf), math.nextafter(edge, -math.inf))
        rows += [{**draw.choice(real_rows), name: value} for value in beside]
    return rows


def fewer(rows: int, columns: int) -> int:
    """So many rows, or fewer of very wide ones: they are compared value by value, in every training."""
    return max(_FEWEST, min(rows, _CELLS // max(1, columns)))


def _strange(name: str, columns: Columns, draw: random.Random) -> Any:
    if name in columns.flags:
        return draw.choice((True, False, None))
    if name in columns.texts:
        return draw.choice((None, "", "never seen", "None", "nan", "é"))
    return draw.choice(_EXTREMES)


def _steps(model: Any) -> tuple[Any, Any]:
    """Encoder and estimator; no encoder of a vote, whose members have their own."""
    *before, (_, estimator) = model.steps
    return (before[0][1] if before else None), estimator


def _class_numbers(model: Any, task: Task) -> tuple[int, ...]:
    if task.kind == "regression":
        return ()
    return tuple(int(number) for number in np.asarray(model.classes_, dtype=np.int64))


def plain_row(row: Mapping[Any, Any]) -> dict[str, Any]:
    """NaN as None, numpy's numbers as Python's."""
    return {str(name): _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    if value is None or isinstance(value, str | bool):
        return value
    return None if value != value else float(value)
