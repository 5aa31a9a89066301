"""A column that no longer changes within a day, in all rows or at one place; sparse and steady ones pass."""

from datetime import date, timedelta

import numpy as np
import polars as pl

from airloop.data.feed_history.frozen_values import find, variety

FIRST = date(2024, 1, 1)


def _rows(seed: int, *, frozen: str = "", days: int = 20) -> pl.DataFrame:
    draw, count = np.random.default_rng(seed), days * 48
    rows = pl.DataFrame(
        {
            "day": [FIRST + timedelta(days=number // 48) for number in range(count)],
            "place": ["a" if number % 2 else "b" for number in range(count)],
            "temp": draw.normal(20, 5, count).round(1),
            "rain": np.where(draw.uniform(size=count) < 0.02, 1.0, 0.0),
        }
    )
    hangs = pl.col("place").is_in(list(frozen))
    return rows.with_columns(temp=pl.when(hangs).then(pl.col("temp").first().over("day", "place")).otherwise("temp"))


def _variety(rows: pl.DataFrame) -> dict[str, float]:
    return variety(rows, rows["day"], ["temp", "rain"], ["place"])


PAST = [_variety(_rows(seed)) for seed in range(3)]


def test_a_sensor_that_hangs_is_found_at_all_places_or_at_one() -> None:
    everywhere = find(PAST, _variety(_rows(9, frozen="ab")), "temp")
    assert everywhere is not None
    assert everywhere[:2] == ("", 2.0)
    at_one = find(PAST, _variety(_rows(9, frozen="a")), "temp")
    assert at_one is not None
    assert at_one[:2] == ("place is a", 1.0)


def test_what_changes_as_before_or_never_did_is_not() -> None:
    assert find(PAST, _variety(_rows(9)), "temp") is None
    assert find(PAST, _variety(_rows(9, frozen="ab")), "rain") is None
    assert find(PAST[:1], _variety(_rows(9, frozen="ab")), "temp") is None
    assert _variety(_rows(9, frozen="ab", days=4)) == {}
