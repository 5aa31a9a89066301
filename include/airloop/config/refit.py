"""Whether what goes into force has also learned from the holdout that judged it."""

from typing import Any, Literal

from pydantic import Field, model_validator

from airloop.config.node import Node


class Refit(Node):
    """After a decision that passed, the same estimator and parameters may be fitted on all mature rows.

    The judged version has not seen the newest `holdout_days`. Its refit has, so that nothing can judge it: it is
    registered as the refit of the judged version, and goes into force only when it loads, predicts valid values that
    are not all alike, and agrees with the judged version.
    """

    on: Literal["all_mature", "none"] = "none"
    """`none`, the default: the judged version itself goes into force."""
    max_difference: float = Field(default=0.75, gt=0)
    """The refit is left out when the mean absolute difference of its predictions from the judged version's on the
    holdout rows is above this many standard deviations of the judged version's predictions there."""

    @model_validator(mode="before")
    @classmethod
    def _on_is_a_word(cls, value: Any) -> Any:
        """YAML 1.1 reads the bare key `on` as true."""
        return {"on" if key is True else key: item for key, item in value.items()} if isinstance(value, dict) else value
