"""The window of a run: its Params, and how one is resolved, here and nowhere else.

This file is imported at every parse, so it imports nothing heavy.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk.exceptions import AirflowFailException

from airloop.config import Pipeline, calendar_windows
from airloop.config.bounds import refuse_off_calendar
from airloop.config.calendar import Calendar, may_join, period_start, windows_of
from airloop.errors import DataContractError
from airloop.records import Window, parse_instant
from airloop_airflow import pipelines
from airloop_airflow.params import Param

# Airflow ignores `format` but enforces `pattern`: junk is refused when the run is asked for, not by its first task.
# The last part, because `$` also matches before a newline at the end.
# A day alone is its midnight UTC.
_INSTANT = r"^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2}))?$(?!\n)"
_LONGEST = 32

_CHECKS, _TOGETHER, _EACH = "checks", "together", "each"


def window_params() -> dict[str, Param]:
    """Params `start` and `end`; both empty on the calendar and in backfills."""
    says = "in UTC, by hand only (a calendar run or backfill has its partition)"
    return {
        "start": optional_instant(f"First instant of the window {says}, e.g. 2013-01-01T00:00:00Z."),
        "end": optional_instant(f"First instant after the window {says}, e.g. 2013-02-01T00:00:00Z."),
    }


def checks_params(pipeline: Pipeline) -> dict[str, Param]:
    """Param `checks`, by which the inbox asks for windows that it joins; none where a run has one window."""
    if not may_join(pipeline.calendar):
        return {}
    says = (
        f"How several windows are read and checked: `{_TOGETHER}` (default) as if they were one, or `{_EACH}` by "
        "itself, as the inbox asks."
    )
    return {_CHECKS: Param(_TOGETHER, says, type="string", enum=[_TOGETHER, _EACH])}


def checks_conf(pipeline: Pipeline, over: Window) -> dict[str, str]:
    """What the inbox gives a data run of several windows besides their bounds."""
    return {_CHECKS: _EACH} if len(windows_of(pipeline.calendar, over)) > 1 else {}


def asks_for_each(context: Mapping[str, Any]) -> bool:
    """Whether a run is to read and check each of its windows by itself."""
    return bool(context["params"].get(_CHECKS) == _EACH)


def taken(pipeline: Pipeline, context: Mapping[str, Any], group: str = "data") -> tuple[Window, ...]:
    """The windows that a run takes one by one, oldest first: its own, where nobody asked for each.

    Raises:
        AirflowFailException: See window.
    """
    over = window(pipeline, context, group)
    return windows_of(pipeline.calendar, over) if asks_for_each(context) else (over,)


def cutoff_param() -> Param:
    """Param `cutoff` of a training, required."""
    says = "Train on everything known before this instant, e.g. 2013-03-01T00:00:00Z (usually the end of a window)."
    return Param(description=says, type="string", format="date-time", pattern=_INSTANT, maxLength=_LONGEST)


def window(pipeline: Pipeline, context: Mapping[str, Any], group: str = "data") -> Window:
    """The window of a run: Params, else the partition, else the data interval.

    Args:
        group: The DAG's; monitoring has a calendar of its own.

    Raises:
        AirflowFailException: None of them, only one bound, no instant, start >= end, off the calendar, or
            outside `coverage`; a run is never given the current time.
    """
    try:
        by_hand = _given_window(pipelines.read_params(context))
        resolved = by_hand or _partition(pipeline.calendar_of(group), context) or _data_interval(context)
    except DataContractError as error:
        raise AirflowFailException(f"refused window: {error}") from error
    if resolved is None:
        raise AirflowFailException(
            "this run has no window: give Params start and end (instants like 2013-01-01T00:00:00Z), or a partition key"
        )
    start, end = pipeline.coverage.start, pipeline.coverage.end
    if resolved.start < start or (end is not None and resolved.end > end):
        raise AirflowFailException(
            f"refused window {resolved}: outside the coverage [{start}, {end}) of {pipeline.name}"
        )
    if by_hand is not None:
        _refuse_off_calendar(pipeline, by_hand, pipeline.calendar_of(group))
    return resolved


def _refuse_off_calendar(pipeline: Pipeline, by_hand: Window, calendar: Calendar) -> None:
    try:
        refuse_off_calendar(pipeline, by_hand, calendar)
    except DataContractError as error:
        raise AirflowFailException(f"refused window {by_hand}: {error}") from error


def training_window(pipeline: Pipeline, context: Mapping[str, Any]) -> Window:
    """`[coverage.start, cutoff)` of a training run.

    Raises:
        AirflowFailException: No instant, or outside `coverage`.
    """
    text = pipelines.read_params(context)["cutoff"]
    try:
        resolved = Window(pipeline.coverage.start, parse_instant(text))
    except DataContractError as error:
        raise AirflowFailException(f"refused cutoff {text!r}: {error}") from error
    if pipeline.coverage.end is not None and resolved.end > pipeline.coverage.end:
        raise AirflowFailException(f"refused cutoff {text!r}: after the coverage's end {pipeline.coverage.end}")
    return resolved


def _given_window(params: Mapping[str, Any]) -> Window | None:
    start, end = params.get("start"), params.get("end")
    if bool(start) != bool(end):
        raise DataContractError(f"start is {start!r} and end is {end!r}; give both or none")
    return Window.parse(start, end) if start and end else None


def _partition(calendar: Calendar, context: Mapping[str, Any]) -> Window | None:
    start: datetime | None = getattr(context["dag_run"], "partition_date", None)
    if start is None:
        return None
    start = start.astimezone(UTC)
    if period_start(calendar, start) != start:
        raise DataContractError(f"partition {start} is not the start of a {calendar} period")
    return calendar_windows(calendar, Window(start, start + timedelta(microseconds=1)))[0]


def _data_interval(context: Mapping[str, Any]) -> Window | None:
    start, end = context.get("data_interval_start"), context.get("data_interval_end")
    return Window(start, end) if start and end and start < end else None


def optional_instant(description: str) -> Param:
    """A Param that is empty or an instant with its UTC offset."""
    bounds: dict[str, Any] = {"format": "date-time", "pattern": _INSTANT, "maxLength": _LONGEST}
    return Param(None, description, type=["null", "string"], **bounds)
