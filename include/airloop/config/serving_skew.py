"""How far online features may be from offline ones before somebody is told."""

from pydantic import Field

from airloop.config.node import Node


class Skew(Node):
    """The values that the service looked up beside those of the feature tables, for the same key and instant."""

    max_share: float = Field(ge=0, lt=1, default=0.01)
    """An alarm is raised for a view when more than this share of its values differ; corrections that land after an
    answer count among them."""
    min_rows: int = Field(gt=0, default=50)
    """A view of which fewer values of a day can be compared is passed over."""
