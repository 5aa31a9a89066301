"""Flags and codes: one value left and two that changed places are found; seasons, spells and new habits are not."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from airloop.data.feed_history import code_shares
from airloop.data.feed_history.code_shares import Codes

FLAG = [Codes(1.0, {"false": 1800 + n, "true": 180 + 3 * n}) for n in range(4)]
WEEKDAYS = [Codes(0.2, {"1": 500 + n, "0": 220 - n}) for n in range(4)]


def test_a_flag_that_was_turned_round_is_found() -> None:
    assert code_shares.changed_places(FLAG, Codes(1.0, {"true": 1810, "false": 190})) == ("false", "true")


def test_a_pair_among_several_codes_is_found() -> None:
    past = [Codes(1.1, {"web": 1500 + n, "app": 700, "store": 90}) for n in range(3)]
    assert code_shares.changed_places(past, Codes(1.0, {"store": 1480, "app": 720, "web": 95})) == ("web", "store")


def test_a_near_pair_is_found_where_its_shares_stand_still() -> None:
    past = [Codes(1.0, {"web": 1100 + n, "app": 600 - n, "store": 300}) for n in range(4)]
    assert code_shares.changed_places(past, Codes(1.0, {"app": 1095, "web": 602, "store": 303})) == ("web", "app")
    assert code_shares.changed_places(past, Codes(1.0, {"app": 800, "web": 900, "store": 300})) is None


@pytest.mark.parametrize(
    ("past", "now"),
    [
        pytest.param(FLAG, Codes(1.0, {"false": 1750, "true": 240}), id="as ever"),
        pytest.param(FLAG, Codes(1.0, {"false": 1000, "true": 1000}), id="a habit that spreads"),
        pytest.param(FLAG, Codes(1.0, {"true": 2000}), id="none left"),
        pytest.param(FLAG[:2], Codes(1.0, {"true": 1810, "false": 190}), id="too short a past"),
        pytest.param(
            [Codes(9.0, item.rows) for item in FLAG], Codes(9.0, {"true": 1810, "false": 190}), id="spells of weather"
        ),
        pytest.param(
            [*FLAG, Codes(1.0, {"true": 900, "false": 1100})], Codes(1.0, {"true": 1810, "false": 190}), id="it varies"
        ),
    ],
)
def test_what_varies_as_it_did_has_not_changed_places(past: list[Codes], now: Codes) -> None:
    assert code_shares.changed_places(past, now) is None


DAYS = [Codes(None, {"false": 70 + n % 9, "true": 30 - n % 9}) for n in range(20)]
WEEKENDS = [Codes(None, {"false": 5, "true": 95} if n % 7 == 6 else {"false": 95, "true": 5}) for n in range(21)]


def test_a_flag_that_was_turned_round_on_a_day_of_a_hundred_rows_is_found() -> None:
    assert code_shares.changed_places(DAYS, Codes(None, {"true": 72, "false": 28})) == ("false", "true")
    assert code_shares.one_left(DAYS, Codes(None, {"false": 100})) == ("false", pytest.approx(0.22))


@pytest.mark.parametrize(
    ("past", "now"),
    [
        pytest.param(DAYS, {"false": 64, "true": 36}, id="as ever"),
        pytest.param(DAYS, {"false": 50, "true": 50}, id="halfway"),
        pytest.param(DAYS[:5], {"true": 72, "false": 28}, id="a few days before"),
        pytest.param(WEEKENDS, {"true": 94, "false": 6}, id="a weekend"),
    ],
)
def test_what_days_do_anyway_has_not_changed_places(past: list[Codes], now: dict[str, int]) -> None:
    assert code_shares.changed_places(past, Codes(None, now)) is None


def test_a_code_that_all_rows_have_is_found() -> None:
    assert code_shares.one_left(WEEKDAYS, Codes(1.0, {"1": 720})) == ("1", pytest.approx(217 / 720, abs=0.005))


@pytest.mark.parametrize(
    ("past", "now"),
    [
        pytest.param(WEEKDAYS, Codes(0.2, {"1": 519, "0": 201}), id="as ever"),
        pytest.param(
            [*WEEKDAYS, Codes(1.0, {"1": 720})], Codes(1.0, {"1": 720}), id="a window before had one value, too"
        ),
        pytest.param([Codes(1.0, {"0": 5000, "1": 9})] * 4, Codes(1.0, {"0": 5000}), id="hardly ever another"),
        pytest.param([Codes(12.0, {"0": 500, "1": 220})] * 4, Codes(1.0, {"0": 720}), id="a dry month"),
    ],
)
def test_one_value_where_others_come_and_go_is_none(past: list[Codes], now: Codes) -> None:
    assert code_shares.one_left(past, now) is None


def test_codes_know_the_spells_of_their_rows() -> None:
    days = pl.Series([date(2024, 1, 1) + timedelta(days=row // 20) for row in range(600)])
    draw = np.random.default_rng(7)
    by_row = code_shares.codes_of(pl.Series("v", draw.random(600) < 0.3), days)
    by_week = code_shares.codes_of(pl.Series("v", [row // 140 % 2 for row in range(600)]), days)
    assert by_row is not None
    assert by_week is not None
    assert by_row.clumped < 3 < 20 < by_week.clumped
    assert set(by_week.rows) == {"0", "1"}


@pytest.mark.parametrize("values", [list(range(600)), [None] * 600])
def test_a_column_of_many_values_or_none_has_no_codes(values: list[int | None]) -> None:
    days = pl.Series([date(2024, 1, 1) + timedelta(days=row // 20) for row in range(600)])
    assert code_shares.codes_of(pl.Series("v", values, pl.Int64), days) is None
