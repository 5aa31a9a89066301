"""Judging a model where labels are few or none: why there is nothing to judge by, and what is used instead."""

from collections.abc import Mapping
from typing import Any, Protocol

import pandas as pd

from airloop.config import Pipeline
from airloop.models import evidence
from airloop.models.halves import halves
from airloop.models.holdout import Whole
from airloop.models.training_set import learned_part
from airloop.problems import Floats, task_of

FEWEST_DAYS = 5
"""Labels of either class on fewer days make many draws of days without one: no interval, and no metric to trust."""


def reason(pipeline: Pipeline, rows: pd.DataFrame) -> str:
    """Why labelled holdout rows cannot judge a task that learns without labels; empty when they can, or have to.

    Args:
        rows: decision_time (UTC) and label of the labelled rows.
    """
    task = task_of(pipeline)
    if not task.learns_without_labels:
        return ""
    if len(rows) < evidence.MIN_ROWS:
        return f"the holdout has {len(rows)} labelled rows, {evidence.MIN_ROWS} are needed"
    days = task.days_of_rarer_class(rows["label"], evidence.utc_days(rows["decision_time"]))
    if days >= FEWEST_DAYS:
        return ""
    anomalies = int((rows["label"] == 1).sum())
    return (
        f"of the holdout's {len(rows)} labelled rows {anomalies} are anomalies, the rarer label on {days:g} days, "
        f"{FEWEST_DAYS} are needed"
    )


class Fitted(Protocol):
    """A fitted candidate, and how it was made."""

    @property
    def candidate(self) -> str:
        """Its name in the declaration."""

    @property
    def params(self) -> Mapping[str, Any]:
        """Found by the search."""

    @property
    def features(self) -> tuple[str, ...]:
        """In model order."""


def whole(pipeline: Pipeline, candidate: Fitted, frame: pd.DataFrame, predicted: Floats) -> Whole | None:
    """All mature rows of the holdout with what the candidate says of them; None where only labelled ones count."""
    task = task_of(pipeline)
    if not task.learns_without_labels:
        return None
    learned = learned_part(pipeline, frame, "train")
    columns = [name for name in learned.columns if name in {*candidate.features, "decision_time", "label"}]
    both_halves = halves(pipeline, candidate.candidate, candidate.params, learned[columns])
    return Whole(learned_part(pipeline, frame, "holdout"), predicted, task.alarm_share, both_halves)
