"""Which predictions and rows a person is asked about, and how many people."""

from typing import Self

from pydantic import Field, model_validator

from airloop.config.node import Node, Share


class Review(Node):
    """A queue for people: what they answer lands in the outcome feed, or as corrections of the quarantined rows."""

    confidence_at_most: Share | None = None
    """Predictions of classes whose most probable class has a probability <= this are asked about."""
    disagreeing: bool = False
    """Rows to which two versions gave different classes are asked about."""
    random_share: Share = 0
    """This share of all predictions is asked about besides, drawn by their keys: an honest picture of the whole."""
    quarantined: bool = False
    """Rows in quarantine are asked about: repaired, or dropped."""
    per_day: int = Field(gt=0, le=10_000, default=50)
    """No more predictions of one day (UTC, by decision time) are asked about; the random ones come first."""
    look_back_days: int = Field(gt=0, default=7)
    """Predictions decided longer before the newest one are not asked about any more."""
    people: int = Field(ge=1, le=2, default=1)
    """How many people answer about a prediction. Where two differ, a third decides."""

    @property
    def predictions(self) -> bool:
        """Whether predictions are asked about at all."""
        return self.confidence_at_most is not None or self.disagreeing or self.random_share > 0

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not (self.predictions or self.quarantined):
            raise ValueError(
                "asks about nothing: write confidence_at_most, disagreeing, random_share or quarantined, or leave "
                "review out"
            )
        return self
