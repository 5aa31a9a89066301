"""What is predicted, when, and what a label is."""

from datetime import timedelta
from typing import Annotated, Self

from pydantic import Field, model_validator

from airloop.config.metric import TaskKind
from airloop.config.node import Node

PREDICTION = "prediction"
"""The column of predictions, wherever they are stored."""

_MIN_CLASSES = 2


class AbsentLabels(Node):
    """What it means that no outcome ever arrived: of frauds, say, only the positive ones are reported."""

    absent_after_days: int = Field(gt=0)
    """An example without an outcome this long after its decision has the label `means`; until then it has none, and is
    not mature. An outcome that arrives later still counts."""
    means: float
    """The label: 0 or 1, a value, or the number of a class."""


class Prediction(Node):
    """What is predicted, and when."""

    entity_key: str
    """Column that identifies a prediction's subject."""
    lead_minutes: int = Field(ge=0)
    """The decision is made this long before the event the examples are about."""
    label_delay_hours: int = Field(ge=0)
    """A horizon: rows with decision time <= cutoff - this are mature."""
    task: TaskKind = "binary"
    """What a label is: 0 or 1, a value, or the number of a class."""
    classes: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """Names of a multiclass task's classes; a label is a position in this list, from 0."""

    labels: AbsentLabels | None = None
    """Set where only some outcomes are reported; None: an example without an outcome has no label."""

    @property
    def label_delay(self) -> timedelta:
        """How long after its decision a row is mature: `label_delay_hours`, or `absent_after_days` where longer."""
        delay = timedelta(hours=self.label_delay_hours)
        return max(delay, timedelta(days=self.labels.absent_after_days)) if self.labels else delay

    @model_validator(mode="after")
    def _means_a_label(self) -> Self:
        numbers = range(len(self.classes)) if self.task == "multiclass" else (0, 1)
        if self.labels and self.task != "regression" and self.labels.means not in numbers:
            raise ValueError(f"labels.means is {self.labels.means:g}: of a {self.task} task it is one of {[*numbers]}")
        return self

    @model_validator(mode="after")
    def _classes_where_needed(self) -> Self:
        if self.task == "multiclass":
            if len(self.classes) < _MIN_CLASSES or len(set(self.classes)) < len(self.classes):
                raise ValueError(f"classes: a multiclass task names at least {_MIN_CLASSES} classes, each once")
        elif self.classes:
            raise ValueError(f"classes: only a multiclass task has classes, and this one is {self.task}")
        return self
