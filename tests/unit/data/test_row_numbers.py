"""A table that shrank, and rows that are copies of others under new keys."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from airloop.config import Feed
from airloop.data.feed_history.row_numbers import copied, share_copied, shrunk

FEED = Feed.model_validate(
    {
        "files": "{day}.csv",
        "key": ["id"],
        "event_time": "at",
        "columns": {"id": "string", "at": "timestamp", "amount": "float"},
    }
)


@pytest.mark.parametrize(
    ("past", "rows", "least"),
    [
        pytest.param([100, 104], 50, 100, id="half of it is gone"),
        pytest.param([100, 104], 70, None, id="seven tenths are there"),
        pytest.param([100], 300, None, id="it grew"),
        pytest.param([19], 1, None, id="a table of a few rows"),
        pytest.param([], 1, None, id="nothing to compare with"),
    ],
)
def test_a_table_has_shrunk_below_seven_tenths(past: list[int], rows: int, least: int | None) -> None:
    assert shrunk(past, rows) == least


def _rows(count: int) -> pl.DataFrame:
    start = datetime(2024, 1, 1, tzinfo=UTC)
    return pl.DataFrame(
        {
            "id": [f"a{number}" for number in range(count)],
            "at": [start + timedelta(minutes=number) for number in range(count)],
            "amount": [float(number % 7) for number in range(count)],
        }
    )


def test_a_row_under_another_key_is_a_copy_and_equal_amounts_are_not() -> None:
    rows = _rows(100)
    twice = pl.concat([rows, rows.head(50).with_columns(id="b" + pl.col("id"))])
    assert share_copied(FEED, rows) == 0.0
    assert share_copied(FEED, twice) == round(100 / 150, 5)
    assert share_copied(FEED, rows.head(19)) is None


def test_copies_are_held_against_what_was_usual_before() -> None:
    assert copied([0.0, 0.05], 0.5) == 0.05
    assert copied([0.0, 0.05], 0.25) is None
    assert copied([0.0], 1.0) is None


def test_where_hardly_a_row_was_a_copy_fewer_are_told() -> None:
    assert copied([0.0, 0.004], 0.09) == 0.004
    assert copied([0.0, 0.004], 0.05) is None
    assert copied([0.0, 0.02], 0.09) is None
