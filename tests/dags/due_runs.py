"""Runs of an hourly calendar of the present: the hour that is over, and one that is too long ago to be waited for."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from airloop.config import Pipeline
from airloop.records import Window

HOUR = timedelta(hours=1)
NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
LAST = Window(NOW - HOUR, NOW)
LONG_AGO = Window(NOW - 30 * HOUR, NOW - 29 * HOUR)


def context(pipeline: Pipeline, window: Window, run_type: str, **params: str) -> dict[str, Any]:
    by_hand = {"start": window.start.isoformat(), "end": window.end.isoformat(), **params}
    given = by_hand if run_type in ("manual", "operator_triggered") else {"start": None, "end": None}
    date = None if given["start"] else window.start
    run = SimpleNamespace(conf={}, partition_date=date, run_type=run_type, run_id=f"{run_type}__1")
    return {"params": given, "dag": SimpleNamespace(params=given), "dag_run": run}
