"""Who has to agree before a version that passed its gate is promoted."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from airloop.config.nearest import nearest
from airloop.config.node import Node

_WORDS = ("first_model", "slice_worse")
_CONDITIONS = (*_WORDS, "gain_below", "days_since")
_WRITTEN: dict[str, Any] = {
    "anyOf": [
        {"enum": ["never", "always"]},
        {
            "type": "array",
            "minItems": 1,
            "items": {
                "anyOf": [
                    {"enum": ["first_model", "slice_worse"]},
                    {"type": "object", "properties": {"gain_below": {"type": "number"}}},
                    {"type": "object", "properties": {"days_since": {"type": "integer", "minimum": 1}}},
                ]
            },
        },
    ]
}


class Conditions(Node):
    """When a person is asked: where any of these holds."""

    always: bool = False
    first_model: bool = False
    """No champion was compared with: the gate judged by floors only."""
    gain_below: float | None = None
    """The gain in `gate.compare.metric` is below this, in the metric's own unit, or unknown."""
    slice_worse: bool = False
    """A slice of the gate's rule `slices` is worse than under the champion, also where chance may explain it; or no
    slice was compared."""
    days_since: int | None = Field(default=None, gt=0)
    """Nobody approved a version of the pipeline for this many days of data time."""

    @property
    def any(self) -> bool:
        """Whether a person is ever asked."""
        words = self.always or self.first_model or self.slice_worse
        return words or self.gain_below is not None or self.days_since is not None


def _read(value: Any) -> Any:
    """What pipeline.yaml says - never, always, or a list of conditions - as keys of Conditions."""
    if isinstance(value, Conditions) or (isinstance(value, dict) and value.keys() == Conditions.model_fields.keys()):
        return value  # read before, or dumped whole
    if value in ("never", "always"):
        return {"always": value == "always"}
    if not isinstance(value, (list, tuple)) or not value:
        raise _refusal(f"{value!r} is not never, always or a list of conditions{_near(value, ('never', 'always'))}")
    conditions: dict[str, Any] = {}
    for item in value:
        condition = {item: True} if isinstance(item, str) and item in _WORDS else item
        if not isinstance(condition, dict) or len(condition) != 1:
            raise _refusal(f"{item!r} is not a condition{_near(item, _CONDITIONS)}")
        (name,) = condition
        if name in _WORDS and condition is item:
            raise _refusal(f"{name!r} is a word of its own, without a value")
        if name not in _CONDITIONS or name in conditions:
            twice = "is there twice" if name in conditions else f"is not a condition{_near(name, _CONDITIONS)}"
            raise _refusal(f"{name!r} {twice}")
        conditions |= condition
    return conditions


def _near(word: Any, valid: tuple[str, ...]) -> str:
    return nearest(str(word), valid)


def _refusal(says: str) -> PydanticCustomError:
    known = "first_model, slice_worse, gain_below: 0.001, days_since: 90"
    return PydanticCustomError("approval_condition", "{says} (conditions: {known})", {"says": says, "known": known})


class Approval(Node):
    """Which promotions wait for a person, who may answer, and what happens when nobody does."""

    when: Annotated[Conditions, BeforeValidator(_read), WithJsonSchema(_WRITTEN)] = Conditions()
    """`never` (default), `always`, or a list of `first_model`, `slice_worse`, `gain_below: x` (in the unit of
    `gate.compare.metric`) and `days_since: n` (days of data time since a person last approved); any is enough."""
    by: tuple[str, ...] = ()
    """Who may approve, as Airflow knows them; empty: whoever may answer in Airflow. Never who started the training or
    the promotion."""
    deadline_hours: float = Field(default=72, gt=0)
    """How long the question waits for an answer (wall clock)."""
    default: Literal["reject", "approve"] = "reject"
    """What counts as the answer at the deadline."""
    evidence_max_age_days: int = Field(default=31, gt=0)
    """A decision older than this, by the data time that was scored meanwhile, cannot be promoted any more."""
