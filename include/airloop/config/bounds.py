"""Bounds of windows that a person gives: inside its coverage, on the pipeline's calendar or an end of the coverage."""

from datetime import datetime

from airloop.config.calendar import Calendar, nearest_bound
from airloop.config.pipeline import Pipeline
from airloop.errors import DataContractError
from airloop.records import Window


def refuse_off_calendar(pipeline: Pipeline, window: Window, calendar: Calendar) -> None:
    """Refuse a window that cuts a period of the calendar in two, but for where the coverage begins or ends.

    A stage over half a period replaces half of its rows, and the calendar's own run does it again.

    Args:
        calendar: That of the run's group: the pipeline's, or that of its monitoring.

    Raises:
        DataContractError: Names the bound and the nearest one that fits.
    """
    coverage = pipeline.coverage
    for name, instant in (("start", window.start), ("end", window.end)):
        nearest = nearest_bound(calendar, instant)
        if instant not in (nearest, coverage.start, coverage.end):
            raise DataContractError(
                f"{name} {_text(instant)} is not a bound of a {calendar} window of {pipeline.name}; the nearest "
                f"is {_text(nearest)}"
            )


def refuse_outside_coverage(pipeline: Pipeline, window: Window) -> None:
    """Refuse a window that reaches beyond the coverage: its rows would be in tables that no schedule ever asks for.

    Raises:
        DataContractError: Names both.
    """
    first, last = pipeline.coverage.start, pipeline.coverage.end
    if window.start < first or (last is not None and window.end > last):
        until = _text(last) if last else "no end"
        raise DataContractError(
            f"{window} lies outside the coverage [{_text(first)}, {until}) of pipeline.yaml: choose a window inside, "
            f"or declare more in {pipeline.name}/pipeline.yaml"
        )


def _text(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"
