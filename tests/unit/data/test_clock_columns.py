"""A column that says the hour or the weekday of an instant: another way to count is found, a summer clock is not."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from airloop.config import Feed
from airloop.data.feed_history import clock_columns
from airloop.data.feed_history.clock_columns import Clocked, Other

ZONE = "America/New_York"
FEED = Feed(
    files="{day}.csv",
    key=("id",),
    event_time="at",
    day_timezone=ZONE,
    columns={"id": "string", "at": "timestamp", "hour": "integer", "weekday": "string", "shop": "integer"},
)
NAMES = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


def _rows(month: int, zone: str = ZONE) -> pl.DataFrame:
    start = datetime(2024, month, 1, tzinfo=UTC)
    at = pl.Series("at", [start + timedelta(minutes=40 * n) for n in range(1000)], pl.Datetime("us", "UTC"))
    local = pl.col("at").dt.convert_time_zone(zone).dt
    weekday = (local.weekday().cast(pl.Int64) - 1).replace_strict(dict(enumerate(NAMES)), return_dtype=pl.String)
    shop = pl.int_range(1000).hash(1).mod(9).cast(pl.Int64)
    return at.to_frame().with_columns(
        local.hour().cast(pl.Int64).alias("hour"), weekday.alias("weekday"), shop.alias("shop")
    )


def _find(rows: pl.DataFrame) -> Clocked:
    return clock_columns.find(FEED, rows, ["hour", "weekday", "shop"], ["at"])


def _changed(rows: pl.DataFrame, column: str = "hour", *, zone: str = ZONE) -> Other | None:
    return clock_columns.changed([_find(_rows(month, zone)).values for month in (1, 2)], _find(rows), column)


HOUR, WEEKDAY = pl.col("hour"), pl.col("weekday")


@pytest.mark.parametrize(
    ("column", "written"),
    [
        pytest.param("hour", HOUR + 1, id="from 1 to 24"),
        pytest.param("hour", HOUR % 12, id="a clock of twelve hours"),
        pytest.param("hour", (HOUR + 5) % 24, id="the clock of UTC"),
        pytest.param("hour", HOUR.shuffle(7), id="the hour of other rows"),
        pytest.param(
            "weekday", WEEKDAY.replace(dict(zip(NAMES, NAMES[1:] + NAMES[:1], strict=True))), id="a day later"
        ),
        pytest.param("weekday", WEEKDAY.shuffle(7), id="the weekday of other rows"),
    ],
)
def test_another_way_to_say_the_clock_is_found(column: str, written: pl.Expr) -> None:
    other = _changed(_rows(2).with_columns(written.alias(column)), column)
    assert other is not None
    assert other.column == column
    assert f"in {ZONE}" in other.says


@pytest.mark.parametrize("zone", [ZONE, "UTC", "Europe/Berlin"])
@pytest.mark.parametrize("month", [2, 3, 4, 7])
def test_a_clock_that_goes_on_is_not_nor_is_its_summer_time(month: int, zone: str) -> None:
    rows = _rows(month, zone)
    assert [_changed(rows, column, zone=zone) for column in ("hour", "weekday", "shop")] == [None, None, None]


def test_a_column_that_never_said_a_clock_is_not_judged() -> None:
    assert not [rule for rule in _find(_rows(1)).values if rule.endswith("shop")]
    assert _changed(_rows(3).with_columns(pl.col("shop") + 1), "shop") is None


def test_nothing_is_said_without_a_past() -> None:
    assert clock_columns.changed([], _find(_rows(1).with_columns(HOUR + 1)), "hour") is None
