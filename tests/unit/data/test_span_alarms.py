"""The time between two instants: a date for missing and a turned order are told, longer waits and seasons are not."""

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from tests.support.flight_months import flights

from airloop.config import Pipeline
from airloop.data.feed_history.looked import Looked
from airloop.data.feed_history.notice import notice, sketch_window
from airloop.data.feed_history.store import PastWindow
from airloop.records import Alarm, Window

MONTHS = [Window(datetime(2024, n, 1, tzinfo=UTC), datetime(2024, n + 1, 1, tzinfo=UTC)) for n in (1, 2, 3, 4)]
PROMISED, ORDERED = pl.col("promised_at"), pl.col("ordered_at")


def _pipeline() -> Pipeline:
    known = flights().model_dump()
    orders = {"order": "string", "ordered_at": "timestamp", "promised_at": "timestamp"}
    named = {"files": "{day}.csv", "key": ["order"]}
    known["feeds"] = {
        "orders": {**named, "event_time": "ordered_at", "columns": orders},
        "returns": {
            **named, "event_time": "ended_at", "outcome": True,
            "columns": {"order": "string", "ended_at": "timestamp", "returned": "integer"},
        },
    }  # fmt: skip
    known["prediction"]["entity_key"] = "order"
    return Pipeline.model_validate(known)


def _orders(month: int) -> pl.DataFrame:
    draw, window = np.random.default_rng(month), MONTHS[month]
    minutes = np.sort(draw.integers(0, (window.end - window.start).days * 1440, 1500))
    rows = pl.DataFrame(
        {"order": [f"o{month}-{n}" for n in range(1500)], "at": minutes, "wait": draw.integers(60, 7200, 1500)}
    )
    ordered = pl.lit(window.start) + pl.duration(minutes="at")
    return rows.select(
        "order", ordered.alias("ordered_at"), (ordered + pl.duration(minutes="wait")).alias("promised_at")
    )


def _alarms(promised: pl.Expr) -> list[Alarm]:
    pipeline, past = _pipeline(), {}
    for month, window in enumerate(MONTHS):
        rows = _orders(month)
        if month == len(MONTHS) - 1:
            rows = rows.with_columns(promised.alias("promised_at"))
        sketches = sketch_window(pipeline, {"orders": rows}, window)
        alarms = list(notice(Looked(pipeline, window, sketches, past, {})))
        past.setdefault("orders", []).append(PastWindow(window, sketches["orders"]))
    return alarms


def _some(share: int, other: pl.Expr) -> pl.Expr:
    return pl.when(pl.int_range(pl.len()) % share == 0).then(other).otherwise(PROMISED)


@pytest.mark.parametrize(
    ("promised", "kind"),
    [
        pytest.param(_some(50, pl.datetime(9999, 12, 31, time_zone="UTC")), "far_values", id="the end of time"),
        pytest.param(_some(100, PROMISED + pl.duration(days=7300)), "far_values", id="another century"),
        pytest.param(_some(50, pl.datetime(1970, 1, 1, time_zone="UTC")), "clock_change", id="the begin of the epoch"),
        pytest.param(_some(50, ORDERED - pl.duration(minutes=5)), "clock_change", id="before it was ordered"),
        pytest.param(PROMISED + pl.duration(days=365), "far_values", id="the next year"),
        pytest.param(ORDERED, "one_value", id="copied from the other"),
        pytest.param(PROMISED - pl.duration(days=7), "clock_change", id="a week early"),
    ],
)
def test_a_date_that_cannot_be_is_told(promised: pl.Expr, kind: str) -> None:
    assert (kind, "orders.promised_at") in {(alarm.kind, alarm.subject) for alarm in _alarms(promised)}


@pytest.mark.parametrize(
    "promised",
    [
        pytest.param(PROMISED, id="as ever"),
        pytest.param(PROMISED + pl.duration(days=1), id="a day longer"),
        pytest.param(_some(300, ORDERED - pl.duration(minutes=5)), id="a slip in few rows"),
        pytest.param(_some(20, PROMISED + pl.duration(days=2)), id="some wait longer"),
    ],
)
def test_longer_waits_and_slips_are_not(promised: pl.Expr) -> None:
    assert not _alarms(promised)
