"""Columns that went together and no longer do are found, and who is to blame; weak and wavering relations are not."""

import numpy as np
import polars as pl
import pytest

from airloop.data.feed_history import missing_values, relations
from airloop.data.feed_history.blocks import Block
from airloop.data.feed_history.exchanged import orders
from airloop.data.feed_history.sketch import Sketch

ROWS = 400


def _window(
    seed: int, *, noise: float = 0.3, share_mixed: float = 0.0, sign: float = 1.0, rows: int = ROWS
) -> dict[str, tuple[float, int]]:
    draw = np.random.default_rng(seed)
    amount = draw.normal(size=rows)
    paid = sign * (amount + noise * draw.normal(size=rows))
    mixed = draw.uniform(size=rows) < share_mixed
    paid[mixed] = draw.permutation(paid[mixed])
    return relations.find(
        pl.DataFrame({"amount": amount, "paid": paid, "weight": draw.normal(size=rows)}), ["amount", "paid", "weight"]
    )


PAST = [_window(seed) for seed in range(3)]


@pytest.mark.parametrize(
    "now",
    [
        pytest.param(_window(9, share_mixed=1.0), id="values of other rows"),
        pytest.param(_window(9, share_mixed=0.5), id="half of them"),
        pytest.param(_window(9, sign=-1.0), id="a turned sign"),
    ],
)
def test_a_relation_that_is_gone_is_found(now: dict[str, tuple[float, int]]) -> None:
    (found,) = relations.broken(PAST, now)
    assert found.name == "amount ~ paid"
    assert found.expected > 0.9 > 0.7 > found.observed


def test_a_strong_relation_that_is_gone_is_found_however_its_strength_varied() -> None:
    past = [_window(seed, noise=noise) for seed, noise in enumerate((0.05, 0.5, 0.2, 0.02))]
    (found,) = relations.broken(past, _window(9, share_mixed=1.0))
    assert found.name == "amount ~ paid"
    assert list(relations.broken(past, _window(9, noise=0.8))) == []
    assert list(relations.broken(past[1:3], _window(9, noise=0.8))) == []


@pytest.mark.parametrize(
    ("past", "now"),
    [
        pytest.param(PAST, _window(9), id="as before"),
        pytest.param(PAST, _window(9, noise=0.5), id="a little weaker"),
        pytest.param(PAST[:1], _window(9, share_mixed=1.0), id="one window before"),
        pytest.param([_window(s, noise=2.0) for s in range(3)], _window(9, share_mixed=1.0), id="weak from the start"),
        pytest.param(
            [_window(s, noise=noise) for s, noise in enumerate((0.1, 0.9, 0.2, 1.1))],
            _window(9, noise=2.0),
            id="wavering",
        ),
        pytest.param(PAST, _window(9, rows=15, share_mixed=1.0), id="too few rows"),
    ],
)
def test_a_relation_that_holds_wavers_or_was_weak_is_not(
    past: list[dict[str, tuple[float, int]]], now: dict[str, tuple[float, int]]
) -> None:
    assert list(relations.broken(past, now)) == []


def test_of_many_rows_some_are_enough() -> None:
    amount = pl.Series("amount", np.random.default_rng(1).normal(size=200_000))
    ((_, (strength, rows)),) = relations.find(
        pl.DataFrame([amount, (2 * amount).alias("paid")]), ["amount", "paid"]
    ).items()
    assert strength == 1.0
    assert 30_000 < rows < 60_000


def test_a_constant_goes_with_nothing() -> None:
    rows = pl.DataFrame({"a": [1.0] * 50, "b": [float(n) for n in range(50)], "c": [None] * 50}, strict=False)
    assert relations.find(rows, ["a", "b"]) == {}
    assert relations.find(rows, ["b"], ["c"]) == {}
    assert orders(rows, ["a", "b"]) == {"a > b": round(1 / 49, 5)}


def _sketch(empty: list[float], *, static: bool = False) -> Sketch:
    days = [f"2024-01-{day + 1:02d}" for day in range(len(empty))]
    filled = tuple(round(100 * (1 - share)) for share in empty)
    dated = {} if static else dict.fromkeys(days, 100)
    return Sketch(tuple(Block(day, day, 100, {}) for day in days), days=dated, filled={"x": filled})


RAIN = [0.0] * 24 + [0.3, 0.6, 0.2, 0.5, 0.4, 0.1]


@pytest.mark.parametrize(
    ("past", "now"),
    [
        pytest.param([0.01] * 30, [0.3] * 30, id="a month"),
        pytest.param([0.01] * 30, [0.01] * 18 + [0.5] * 12, id="the end of a month"),
        pytest.param(RAIN, [0.25] * 30, id="every day, where rain emptied some"),
        pytest.param([0.01] * 30, [0.4], id="one day"),
    ],
)
def test_a_column_that_is_emptier_is_found(past: list[float], now: list[float]) -> None:
    found = missing_values.more([_sketch(past), _sketch(past)], _sketch(now), "x")
    assert found is not None
    assert found.observed >= found.expected


@pytest.mark.parametrize(
    ("past", "now"),
    [
        pytest.param([0.01] * 30, [0.03] * 30, id="hardly more"),
        pytest.param([0.01] * 30, [0.0] * 30, id="fewer"),
        pytest.param(RAIN, [0.0] * 22 + [0.5] * 8, id="a rainy month"),
        pytest.param([0.01] * 30, [0.01] * 27 + [0.9] * 3, id="three days"),
        pytest.param(RAIN, [0.55], id="a rainy day"),
    ],
)
def test_a_column_that_is_as_empty_as_it_may_be_is_not(past: list[float], now: list[float]) -> None:
    assert missing_values.more([_sketch(past), _sketch(past)], _sketch(now), "x") is None


def test_a_static_table_is_held_against_the_two_before_it() -> None:
    tables = [_sketch([0.1], static=True), _sketch([0.12], static=True)]
    assert missing_values.more(tables, _sketch([0.5], static=True), "x") is not None
    assert missing_values.more(tables, _sketch([0.13], static=True), "x") is None
    assert missing_values.more(tables[:1], _sketch([0.5], static=True), "x") is None


def test_a_day_is_held_against_ten_days() -> None:
    assert missing_values.more([_sketch([0.01])] * 9, _sketch([0.9]), "x") is None
    assert missing_values.more([_sketch([0.01])] * 10, _sketch([0.9]), "x") is not None


def test_a_column_that_was_always_sparse_is_found_only_when_hardly_a_value_is_left() -> None:
    past = [_sketch([0.8] * 30), _sketch([0.85] * 30)]
    # The window's first hours may lie in a file of before.
    for first in (1.0, 0.8):
        found = missing_values.more(past, _sketch([first] + [1.0] * 29), "x")
        assert found is not None
        assert found.observed == 1.0
    assert missing_values.more(past, _sketch([0.85] * 30), "x") is None
    assert missing_values.more([_sketch([1.0] * 30)] * 2, _sketch([1.0] * 30), "x") is None


def test_five_shops_with_a_price_each_are_five_points() -> None:
    shop = np.arange(ROWS) % 5
    prices = pl.DataFrame({"list": 1.5 + 0.1 * shop, "sale": 1.4 + 0.1 * shop})
    assert relations.find(prices, ["list", "sale"]) == {}
    many = pl.DataFrame({"list": 1.5 + 0.01 * np.arange(ROWS), "sale": 1.4 + 0.1 * shop})
    assert set(relations.find(many, ["list", "sale"])) == {"list ~ sale"}
