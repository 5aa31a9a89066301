"""Rows of a made-up table for tests of the lake: id, at, value, name; one at each hour of a window."""

from datetime import timedelta
from typing import Any

import pyarrow as pa

from airloop.records import TableVersion, Window
from airloop.settings import Settings
from airloop.stores import lake

JANUARY = Window.parse("2020-01-01T00:00:00Z", "2020-02-01T00:00:00Z")
FEBRUARY = Window.parse("2020-02-01T00:00:00Z", "2020-03-01T00:00:00Z")
MARCH = Window.parse("2020-03-01T00:00:00Z", "2020-04-01T00:00:00Z")
SCHEMA = pa.schema([("id", pa.int64()), ("at", lake.INSTANT), ("value", pa.float64()), ("name", pa.string())])


def row(number: int, window: Window, value: float | None = 1.0) -> dict[str, Any]:
    return {"id": number, "at": window.start + timedelta(hours=number), "value": value, "name": f"n{number}"}


def table(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), SCHEMA)


def replace(uri: str, settings: Settings, window: Window, *rows: dict[str, Any]) -> TableVersion:
    return lake.replace_window(uri, table(*rows), settings, time_column="at", window=window, sort_by=["id"])


def held(uri: str, settings: Settings, window: Window, **where: Any) -> list[dict[str, Any]]:
    """What the table holds of the window, by id."""
    rows: list[dict[str, Any]] = (
        lake.read(uri, settings, where=lake.between("at", window), **where).sort_by("id").to_pylist()
    )
    return rows
