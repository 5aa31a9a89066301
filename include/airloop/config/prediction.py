"""What is predicted, when, and what a label is."""

from datetime import timedelta
from typing import Annotated, Self

from pydantic import Field, model_validator

from airloop.config.metric import OF_VALUES, TaskKind
from airloop.config.node import AttributePath, Node

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
    """What a label is: 0 or 1, a value, or the number of a class. Of `quantiles` it is a value, too."""
    problem: AttributePath | None = None
    """`module:Class` of the project's own, where labels or predictions have to keep more than the task says: a subclass
    of the task's class. `airloop list problem` prints those."""
    classes: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """Names of a multiclass task's classes; a label is a position in this list, from 0."""
    quantiles: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = ()
    """Levels of a task `quantiles`, ascending: 0.9 is the value that nine labels of ten do not pass."""

    alarm_share: float | None = Field(default=None, gt=0, le=0.5)
    """Of a task `anomaly`: the share of rows like those learned from that are alarms, so many as people can look at."""

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
        if self.labels and self.task not in OF_VALUES and self.labels.means not in numbers:
            raise ValueError(f"labels.means is {self.labels.means:g}: in a {self.task} task it is one of {[*numbers]}")
        return self

    @model_validator(mode="after")
    def _classes_where_needed(self) -> Self:
        if self.task == "multiclass":
            if len(self.classes) < _MIN_CLASSES or len(set(self.classes)) < len(self.classes):
                raise ValueError(f"classes: a multiclass task names at least {_MIN_CLASSES} classes, each once")
        elif self.classes:
            raise ValueError(f"classes: only a multiclass task has classes, and this one is {self.task}")
        return self

    @model_validator(mode="after")
    def _quantiles_where_needed(self) -> Self:
        if self.task != "quantiles":
            if self.quantiles:
                raise ValueError(f"quantiles: only a task of quantiles has them, and this one is {self.task}")
        elif not self.quantiles or list(self.quantiles) != sorted(set(self.quantiles)):
            raise ValueError(
                f"quantiles: a task of quantiles names its levels in ascending order, each once, like [0.1, 0.5, 0.9], "
                f"and here they are {[*self.quantiles]}"
            )
        return self

    @model_validator(mode="after")
    def _alarms_where_needed(self) -> Self:
        if (self.task == "anomaly") != (self.alarm_share is not None):
            needs = "has to, like 0.01" if self.task == "anomaly" else f"is {self.task} and has none"
            raise ValueError(
                f"alarm_share: a task of anomalies names the share of alarms in its rows; this one {needs}"
            )
        return self
