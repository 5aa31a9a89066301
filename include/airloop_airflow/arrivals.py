"""What a run of the calendar does about files that have not landed.

This file is imported at every parse, so it imports nothing heavy.
"""

from collections.abc import Mapping
from typing import Any

from airflow.sdk.exceptions import AirflowSkipException

from airloop import settings
from airloop.config import Pipeline
from airloop.records import Window
from airloop_airflow import windows

_OF_THE_CALENDAR = "scheduled"
# The inbox starts runs so; before it is too late, they wait like the calendar's.
_OF_THE_INBOX = "operator_triggered"


def due_window(pipeline: Pipeline, context: Mapping[str, Any], group: str) -> Window:
    """The window of a run, as `windows.window` says; a run of the calendar that landed data has not reached is skipped.

    A run by hand, of the inbox or of a backfill asks for its window and is never skipped.

    Raises:
        AirflowSkipException: Says how far landed data has come.
        AirflowFailException: See windows.window.
    """
    window = windows.window(pipeline, context, group)
    if is_of_the_calendar(context):
        from airloop.data import arrivals

        why = arrivals.not_reached(pipeline, window, settings.load_settings())
        if why:
            raise AirflowSkipException(why)
    return window


def is_of_the_calendar(context: Mapping[str, Any]) -> bool:
    """Whether the calendar started this run."""
    return bool(getattr(context["dag_run"], "run_type", None) == _OF_THE_CALENDAR)


def may_wait(context: Mapping[str, Any]) -> bool:
    """Whether a run waits for what may be late: the calendar's and the inbox's do, a person's or a backfill's not."""
    return getattr(context["dag_run"], "run_type", None) in (_OF_THE_CALENDAR, _OF_THE_INBOX)
