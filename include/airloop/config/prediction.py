"""What is predicted, when, and what a label is."""

from datetime import timedelta
from typing import Annotated, Self

from pydantic import Field, model_validator

from airloop.config.metric import TaskKind
from airloop.config.node import Node

_MIN_CLASSES = 2


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

    @property
    def label_delay(self) -> timedelta:
        """`label_delay_hours` as a timedelta."""
        return timedelta(hours=self.label_delay_hours)

    @model_validator(mode="after")
    def _classes_where_needed(self) -> Self:
        if self.task == "multiclass":
            if len(self.classes) < _MIN_CLASSES or len(set(self.classes)) < len(self.classes):
                raise ValueError(f"classes: a multiclass task names at least {_MIN_CLASSES} classes, each once")
        elif self.classes:
            raise ValueError(f"classes: only a multiclass task has classes, and this one is {self.task}")
        return self
