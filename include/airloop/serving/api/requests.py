"""Shapes of requests: what `/v1` takes."""

from typing import Any, ClassVar

import msgspec


class Row(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One thing to predict: its keys, features that stand before the looked-up ones, the instant it is asked about."""

    entity: dict[str, Any] = {}
    features: dict[str, Any] = {}
    as_of: str | None = None


class PredictRequest(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One row, or several in `rows`; `as_of` is for all rows that have none of their own."""

    __item__: ClassVar[Any] = Row

    entity: dict[str, Any] = {}
    features: dict[str, Any] = {}
    as_of: str | None = None
    rows: list[Row] | None = None


class Outcome(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What became of one prediction.

    Attributes:
        prediction_id: As an answer gave it; or `pipeline` and `entity` instead.
        outcome: A value, or an object with the columns of the outcome feed that are neither key nor time.
        time: When it happened: the event time of the outcome feed, ISO with its UTC offset.
        corrects: Whether it takes the place of another outcome of the same thing.
    """

    outcome: Any
    time: str
    prediction_id: str | None = None
    pipeline: str | None = None
    entity: dict[str, Any] = {}
    corrects: bool = False


class FeedbackRequest(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One outcome, or several in `outcomes`, taken all or none."""

    __item__: ClassVar[Any] = Outcome

    outcome: Any = msgspec.UNSET
    time: str | msgspec.UnsetType = msgspec.UNSET
    prediction_id: str | msgspec.UnsetType | None = msgspec.UNSET
    pipeline: str | msgspec.UnsetType | None = msgspec.UNSET
    entity: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    corrects: bool | msgspec.UnsetType = msgspec.UNSET
    outcomes: list[Outcome] | None = None

    def sent(self) -> dict[str, Any]:
        """The fields of a single outcome that were sent."""
        fields = {name: getattr(self, name) for name in Outcome.__struct_fields__}
        return {name: value for name, value in fields.items() if value is not msgspec.UNSET}
