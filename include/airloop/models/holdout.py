"""What a rule of the gate may look at: the holdout, what both models say of it, and the candidate itself."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from airloop.config import Pipeline
from airloop.models import evidence, looks
from airloop.models.bootstrap import Bootstrap, gate_bootstrap
from airloop.models.reserve import ReserveRows
from airloop.problems import Floats, Integers


@dataclass(frozen=True)
class Whole:
    """All mature rows of a holdout, where a task learns without labels.

    Attributes:
        halves: Rows -> what two fits of the candidate say of them, each learned from half of the days.
    """

    rows: pd.DataFrame
    predicted: Floats
    alarm_share: float
    halves: Callable[[pd.DataFrame], tuple[Floats, Floats]]


@dataclass(frozen=True)
class Holdout:
    """A holdout as evaluate has it.

    Attributes:
        rows: Entity key, decision_time (UTC), features, label; one row per example, all labelled.
        days: UTC calendar-day block id per row.
        candidate: Its predictions, in the order of the rows; `champion` likewise, None when it was not compared.
        predict: The candidate's predictions for rows that hold its features.
        features: The features the candidate uses.
        metric: The gate's metric of the comparison.
        sampled: `bootstrap` of the comparison, for airloop.models.evidence: how days are drawn.
        model_bytes: Size of the candidate's files.
        task: As prediction.task names it.
        reserve: What both models say of reserve rows; None without reserve days, or a champion that was compared.
        whole: The rows without a label, too, where the task learns from them; None elsewhere.
        thresholds: From which probability on the candidate, and the champion, is acted on; None where none was chosen.
    """

    rows: pd.DataFrame
    labels: Floats
    days: Integers
    candidate: Floats
    champion: Floats | None
    predict: Callable[[pd.DataFrame], Floats]
    features: tuple[str, ...]
    metric: str
    sampled: dict[str, Any]
    model_bytes: int
    task: str
    reserve: Callable[[], ReserveRows] | None = None
    whole: Whole | None = None
    thresholds: tuple[float | None, float | None] = (None, None)


@dataclass(frozen=True)
class JudgedModel:
    """A candidate and what it says of the rows of a holdout; see `Holdout` of each."""

    predicted: Floats
    predict: Callable[[pd.DataFrame], Floats]
    features: tuple[str, ...]
    model_bytes: int


def holdout_of(
    pipeline: Pipeline, rows: pd.DataFrame, model: JudgedModel, champion: Floats | None, *, looks_before: int = 0
) -> Holdout:
    """A holdout of labelled rows; `looks_before` counts earlier looks at it."""
    return Holdout(
        rows=rows,
        labels=rows["label"].to_numpy(dtype="float64"),
        days=evidence.utc_days(rows["decision_time"]),
        candidate=model.predicted,
        champion=champion,
        predict=model.predict,
        features=model.features,
        metric=pipeline.gate.compare.metric,
        sampled={"bootstrap": paid_bootstrap(pipeline, looks_before)},
        model_bytes=model.model_bytes,
        task=pipeline.prediction.task,
    )


def paid_bootstrap(pipeline: Pipeline, looks_before: int) -> Bootstrap:
    """As the gate judges: each look before widens the interval, which then takes more draws."""
    declared = gate_bootstrap(pipeline)
    return replace(
        declared,
        confidence=looks.paid_confidence(declared.confidence, looks_before),
        resamples=declared.resamples * (looks_before + 1),
        expanded=True,
    )
