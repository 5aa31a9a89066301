"""Rows of an earlier window under new keys and dates are found; rows that repeat anyway, or are few, are not."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from tests.support.sketched import feed

from airloop.data.feed_history import repeated_rows
from airloop.data.feed_history.repeated_rows import Hashes

KINDS = {"sale": "string", "sold_at": "timestamp", "shop": "string", "price": "float", "weight": "float"}
FEED = feed(columns=KINDS)


def _rows(seed: int, rows: int = 600, *, steps: int = 100_000) -> pl.DataFrame:
    draw = np.random.default_rng(seed)
    start = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=seed)
    return pl.DataFrame(
        {
            "sale": [f"s{seed}-{number}" for number in range(rows)],
            "sold_at": [start + timedelta(minutes=number) for number in range(rows)],
            "shop": draw.choice(["north", "south"], rows),
            "price": draw.integers(0, steps, rows).astype(float),
            "weight": draw.integers(0, 3, rows).astype(float),
        }
    )


def _hashes(rows: pl.DataFrame) -> Hashes:
    return repeated_rows.hashes(FEED, rows)


PAST = [_hashes(_rows(seed)) for seed in range(5)]


@pytest.mark.parametrize("part", [1.0, 0.6])
def test_old_rows_under_new_keys_and_dates_are_found(part: float) -> None:
    old, new = _rows(3).sample(fraction=1.0, shuffle=True, seed=1), _rows(9)
    kept = round(part * new.height)
    sent = pl.concat([old.head(kept), new.head(new.height - kept)]).with_columns(new["sale"], new["sold_at"])
    again = repeated_rows.find(PAST, _hashes(sent))
    assert again is not None
    assert again.windows_ago == 2
    assert again.share == pytest.approx(part, abs=0.15)


@pytest.mark.parametrize(
    ("past", "now"),
    [
        pytest.param(PAST, _rows(9), id="as ever"),
        pytest.param(PAST[:2], _rows(1), id="two windows before"),
        pytest.param(
            [_hashes(_rows(seed, steps=50)) for seed in range(5)], _rows(9, steps=50), id="few different rows"
        ),
        pytest.param(PAST, _rows(3).head(20), id="a few rows"),
    ],
)
def test_other_rows_are_not(past: list[Hashes], now: pl.DataFrame) -> None:
    assert repeated_rows.find(past, _hashes(now)) is None


def test_a_feed_of_one_number_says_too_little() -> None:
    assert (
        repeated_rows.hashes(feed(columns={name: KINDS[name] for name in ("sale", "sold_at", "price")}), _rows(1)) == ()
    )
