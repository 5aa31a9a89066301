"""What a feed says of the stream its rows come from: `options` of a source of kind `stream`."""

from typing import Self

from pydantic import Field, field_validator, model_validator

from airloop.config.families import Family
from airloop.config.node import Name, Node
from airloop.errors import ConfigError

BROKER = Family("broker", "airloop.sources.brokers.broker:Broker")


class StreamOptions(Node):
    """Events that somebody else writes one by one; airloop consumes them and lands them as files of the feed.

    An event is a JSON object of the feed's columns but those that airloop fills: `known_at`, with the instant of
    arrival, and the one named by `late`.
    """

    stream: str | None = Field(min_length=1, max_length=200, default=None)
    """Name of the stream at the broker; `<pipeline>.<feed>` unless another one is named."""
    broker: str = "redis"
    """`redis`, or `module:Class` of the project's own; `airloop list broker` prints airloop's."""
    group: str = Field(min_length=1, max_length=200, default="airloop")
    """Consumer group that remembers what was consumed."""
    online: tuple[Name, ...] = ()
    """Feature views whose values go online with each event: those that read one event alone. Others wait for their
    window, as without a stream. Needs `entity` and `late`."""
    entity: tuple[str, ...] = ()
    """Columns that say what an event is about, like the key of the views in `online`."""
    late: str | None = None
    """Column of type boolean that airloop fills: whether something newer about the same `entity` had arrived before.
    A view in `online` leaves such rows out (`WHERE NOT late`), so that a late event turns no value back."""
    land_minutes: float = Field(gt=0, le=60 * 24, default=5)
    """Events of so long land as one file; each file has its window built again."""
    land_rows: int = Field(gt=0, le=1_000_000, default=50_000)
    """So many events land at once, however soon."""
    ahead_minutes: float = Field(ge=0, default=5)
    """An event whose event time lies later than this after its arrival goes to the dead letters."""
    remember_hours: float = Field(gt=0, default=24)
    """The same event sent again within this time changes nothing, not even the instant it became known."""
    keep_hours: float | None = Field(gt=0, default=None)
    """Landed events are removed from the stream so long after their arrival. Not declared: after 24 hours on the
    server that airloop runs, never on another one."""

    @field_validator("broker")
    @classmethod
    def _known_broker(cls, value: str) -> str:
        try:
            return BROKER.refuse_unknown(value)
        except ConfigError as error:
            raise ValueError(str(error)) from None

    @model_validator(mode="after")
    def _late_events_are_known(self) -> Self:
        if self.online and not (self.entity and self.late):
            raise ValueError(
                "online needs `entity` (what an event is about) and `late` (the column that says so of an event which "
                "came after a newer one): without them a late event would turn a value back"
            )
        if bool(self.entity) != bool(self.late):
            raise ValueError("`entity` and `late` belong together: an event is late among those about one entity")
        return self
