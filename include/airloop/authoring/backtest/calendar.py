"""When a backtest looks: its windows, and the end of the one after which a first model can be trained."""

from datetime import datetime, timedelta

from airloop.config import Pipeline, calendar_windows
from airloop.config.calendar import Calendar
from airloop.errors import DataContractError
from airloop.models.training_rows import parts
from airloop.records import Window


def windows_of(every: Calendar, span: Window) -> tuple[Window, ...]:
    """Whole periods of the calendar within the span, oldest first; its first days may open the first one."""
    windows = calendar_windows(every, span)
    return tuple(Window(max(window.start, span.start), window.end) for window in windows if window.end <= span.end)


def first_cutoff(pipeline: Pipeline, windows: tuple[Window, ...]) -> datetime | None:
    """The earliest end of a window that leaves as many training days as the holdout and the features' lookback have."""
    least = timedelta(days=max(pipeline.training.holdout_days, pipeline.features.lookback_days))
    for window in windows:
        try:
            train, _ = parts(pipeline, window.end)
        except DataContractError:
            continue
        if train.end - train.start >= least:
            return window.end
    return None
