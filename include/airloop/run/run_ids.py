"""Ids of DAG runs that are made of what asks for them."""

import re

from airloop.records import Window

_LONGEST = 200


def as_run_id(text: str) -> str:
    """Text as part of a run id: what Airflow does not allow there becomes a dash."""
    return re.sub(r"[^A-Za-z0-9_.~:+-]", "-", text)[:_LONGEST]


def window_run_id(kind: str, window: Window, *reason: str) -> str:
    """The id of a run over a window, e.g. `inbox__2013-01-01T00:00Z__2013-02-01T00:00Z__3f2a9c04d1e7`."""
    return as_run_id("__".join([kind, f"{window.start:%Y-%m-%dT%H:%MZ}", f"{window.end:%Y-%m-%dT%H:%MZ}", *reason]))
