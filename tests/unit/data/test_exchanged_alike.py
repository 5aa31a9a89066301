"""Two columns of one range that were exchanged are found by their habits; two that are alike, or a season, are not."""

import numpy as np
import polars as pl
import pytest
from tests.support.sketched import feed

from airloop.data.feed_history import exchanged, exchanged_alike, same_values
from airloop.data.feed_history.sketch import Sketch
from airloop.data.feed_history.sketches import sketch_feed

KINDS = {"sale": "string", "sold_at": "timestamp", "home": "string", "away": "string", "list": "float", "paid": "float"}
FEED = feed(columns={**KINDS, "weight": "float"}, key=["sale"])
CLUBS = np.array(["north", "south", "west", "east"])


def _rows(seed: int, *, level: float = 0.0, rows: int = 2_000) -> pl.DataFrame:
    """Two prices between 1 and 3, of which the second goes with the weight; two clubs, of which some travel more."""
    draw = np.random.default_rng(seed)
    weight = draw.uniform(0, 1, rows)
    start = np.datetime64("2024-01-01T00:00:00", "us") + np.timedelta64(30 * seed, "D")
    return pl.DataFrame(
        {
            "sale": [f"s{seed}-{number}" for number in range(rows)],
            "sold_at": start + (np.arange(rows) * 3600).astype("timedelta64[s]"),
            "home": draw.choice(CLUBS, rows, p=[0.4, 0.3, 0.2, 0.1]),
            "away": draw.choice(CLUBS, rows, p=[0.15, 0.2, 0.25, 0.4]),
            "list": 2.0 + level + draw.normal(0, 0.25, rows),
            "paid": 1.4 + level + 0.6 * weight + draw.normal(0, 0.25, rows),
            "weight": weight,
        }
    ).with_columns(pl.col("sold_at").dt.replace_time_zone("UTC"))


def _window(seed: int, *, exchanged: tuple[str, ...] = (), level: float = 0.0, rows: int = 2_000) -> Sketch:
    frame = _rows(seed, level=level, rows=rows)
    if exchanged:
        one, other = exchanged
        frame = frame.with_columns(pl.col(one).alias(other), pl.col(other).alias(one))
    return sketch_feed(FEED, frame)


PAST = [_window(seed) for seed in range(4)]


def _found(past: list[Sketch], now: Sketch) -> list[tuple[str, str]]:
    return [item.columns for item in exchanged_alike.find(dict.fromkeys(FEED.columns, past), now)]


@pytest.mark.parametrize("columns", [("list", "paid"), ("away", "home")])
def test_two_columns_of_one_range_that_were_exchanged_are_named(columns: tuple[str, str]) -> None:
    assert _found(PAST, _window(9, exchanged=columns)) == [columns]


@pytest.mark.parametrize(
    ("past", "now"),
    [
        pytest.param(PAST, _window(9), id="as ever"),
        pytest.param(PAST, _window(9, level=0.4), id="both have moved"),
        pytest.param(PAST[:2], _window(9, exchanged=("list", "paid")), id="too short a past"),
        pytest.param(PAST, _window(9, exchanged=("list", "paid"), rows=60), id="too few rows"),
        pytest.param(
            [*PAST, _window(7, exchanged=("list", "paid"))],
            _window(9, exchanged=("list", "paid")),
            id="it has been so before",
        ),
    ],
)
def test_what_moves_together_or_is_too_little_is_not(past: list[Sketch], now: Sketch) -> None:
    assert _found(past, now) == []


def test_a_column_that_is_the_copy_of_another_is_named_and_one_that_was_never_another_is_not() -> None:
    same = sketch_feed(FEED, _rows(9).with_columns(paid="list"))
    assert [pair for pair in same.alike if same_values.same(PAST, same, pair)] == ["list = paid"]
    assert not any(same_values.same(PAST, _window(9), pair) for pair in same.alike)
    assert not any(same_values.same(PAST[:2], same, pair) for pair in same.alike)


def test_a_name_that_is_the_copy_of_another_is_named() -> None:
    same = sketch_feed(FEED, _rows(9).with_columns(away="home"))
    assert [pair for pair in same.alike if same_values.same(PAST, same, pair)] == ["home = away"]


def test_a_copy_in_most_of_the_rows_is_named_and_gauges_that_are_dry_together_are_not() -> None:
    half = sketch_feed(
        FEED, _rows(9).with_columns(paid=pl.when(pl.int_range(pl.len()) % 4 > 0).then("list").otherwise("paid"))
    )
    assert same_values.same(PAST, half, "list = paid") is not None
    dry = [sketch_feed(FEED, _rows(seed).with_columns(list=_wet(0.5), paid=_wet(0.4))) for seed in range(4)]
    drier = sketch_feed(FEED, _rows(9).with_columns(list=_wet(0.02), paid=_wet(0.01)))
    assert same_values.same(dry, drier, "list = paid") is None


def _wet(share: float) -> pl.Expr:
    return pl.when(pl.col("weight") < share).then(pl.col("paid")).otherwise(0.0)


STATION = feed(
    key=["reading"],
    event_time="at",
    columns={"reading": "integer", "at": "timestamp", "mild": "float", "gust": "float"},
)


def _day(seed: int, *, mild: float = 33.0, gust: float | None = 25.0) -> Sketch:
    draw = np.random.default_rng(seed)
    start = np.datetime64("2024-01-01T00:00:00", "us") + np.timedelta64(seed, "D")
    at = pl.Series(start + (np.arange(48) * 1800).astype("timedelta64[s]")).dt.replace_time_zone("UTC")
    gusts = [None] * 48 if gust is None else draw.normal(gust, 2, 48)
    frame = pl.DataFrame({"reading": range(48), "at": at, "mild": draw.normal(mild, 2, 48), "gust": gusts})
    return sketch_feed(STATION, frame.with_columns(pl.col("gust").cast(pl.Float64)))


@pytest.mark.parametrize(("still", "found"), [(0, True), (17, False)])
def test_an_order_that_most_windows_know_is_turned_by_an_exchange(still: int, *, found: bool) -> None:
    past = [_day(seed, gust=None if seed < still else 25.0) for seed in range(20)]
    now = _day(40, mild=22.0, gust=28.8)
    assert bool(list(exchanged.find(dict.fromkeys(STATION.columns, past), now))) is found
