"""What the sections of one window are given beside the feeds: the variables that `getvariable` reads."""

from dataclasses import dataclass
from datetime import datetime

from airloop.config import Pipeline
from airloop.records import Window


@dataclass(frozen=True)
class Values:
    """The variables of a window.

    Attributes:
        window_start: UTC; the window is [window_start, window_end).
        lookback_days: Of the pipeline's features.
        lead_minutes: Of its prediction.
    """

    window_start: datetime
    window_end: datetime
    lookback_days: int
    lead_minutes: int


def values_of(pipeline: Pipeline, window: Window) -> Values:
    """The variables as the pipeline declares them."""
    return Values(window.start, window.end, pipeline.features.lookback_days, pipeline.prediction.lead_minutes)
