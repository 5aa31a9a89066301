"""The features of a pipeline's models."""

from pydantic import Field

from airloop.config.node import Node


class Features(Node):
    """The features of the pipeline's models."""

    service: str
    """Feast feature service; its definitions are fingerprinted into every model version."""
    lookback_days: int = Field(gt=0)
    """features.sql sees feed rows this long before a window, and no older ones."""
    ignore_drift: tuple[str, ...] = ()
    """Features whose drift is expected (the calendar, the season) and left out of the drifted share; an array by its
    own name, or elements of it."""
