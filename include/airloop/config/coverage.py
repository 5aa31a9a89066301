"""The data time that a pipeline covers."""

from datetime import UTC, datetime
from typing import Any, Self

from pydantic import field_validator, model_validator

from airloop.config.node import Node


class Coverage(Node):
    """The data time this pipeline covers, `[start, end)` in UTC; it bounds every schedule."""

    start: datetime
    end: datetime | None = None

    def holds(self, instant: datetime) -> bool:
        """Whether an instant lies inside; of the present: whether the pipeline is live."""
        return self.start <= instant and (self.end is None or instant < self.end)

    @field_validator("start", "end", mode="before")
    @classmethod
    def _utc(cls, value: Any) -> Any:
        if value is None:
            return None
        instant = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.end is not None and self.end <= self.start:
            raise ValueError(f"end {self.end} must lie after start {self.start}")
        return self
