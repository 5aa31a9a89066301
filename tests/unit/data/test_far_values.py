"""Values where none ever were: codes for missing, another unit in a part of the rows; seasons and rare records pass."""

import numpy as np
import numpy.typing as npt
import pytest

from airloop.data.feed_history.far_values import ends_of, find, level

Floats = npt.NDArray[np.float64]


def _values(seed: int, *, mean: float = 1010.0, rows: int = 2000) -> Floats:
    return np.round(np.random.default_rng(seed).normal(mean, 8.0, rows), 1)


def _with(values: Floats, code: float, share: float) -> Floats:
    changed = values.copy()
    changed[: int(share * values.size)] = code
    return changed


def _ends(values: Floats) -> tuple[float, ...]:
    ends = ends_of(values)
    assert ends is not None
    return ends


PAST = [_ends(_values(seed)) for seed in range(3)]


@pytest.mark.parametrize(
    ("now", "side"),
    [
        pytest.param(_with(_values(9), -9999.0, 0.02), "below", id="a code for missing in one row of fifty"),
        pytest.param(_with(_values(9), 0.0, 0.006), "below", id="in six of a thousand"),
        pytest.param(_with(_values(9), 9999.0, 0.3), "above", id="in a third"),
        pytest.param(_with(_values(9), 1054.0, 0.02), "above", id="one value, not far beyond, apart from all others"),
        pytest.param(
            np.concatenate([_values(9, rows=1400), _values(8, rows=600) * 0.02953]), "below", id="a third in inches"
        ),
    ],
)
def test_values_far_from_all_before_are_found(now: Floats, side: str) -> None:
    found = find(PAST, _ends(now))
    assert found is not None
    assert found.side == side
    assert found.share >= 0.005


@pytest.mark.parametrize(
    "now",
    [
        pytest.param(_values(9), id="as before"),
        pytest.param(_values(9, mean=1030.0), id="a season"),
        pytest.param(_with(_values(9), 1200.0, 0.001), id="a record or two"),
        pytest.param(_with(_values(9), 1035.0, 0.02), id="one value within what was there"),
    ],
)
def test_seasons_records_and_known_values_are_not(now: Floats) -> None:
    assert find(PAST, _ends(now)) is None


def test_one_window_before_is_not_enough_and_a_code_that_was_always_there_is_usual() -> None:
    coded = _ends(_with(_values(9), -9999.0, 0.02))
    assert find(PAST[:1], coded) is None
    assert find([*PAST, coded], coded) is None


def test_few_values_and_a_constant_have_no_ends() -> None:
    assert ends_of(_values(1, rows=19)) is None
    assert ends_of(np.full(500, 3.0)) is None


def _amounts(seed: int) -> Floats:
    return np.round(np.exp(np.random.default_rng(seed).normal(3.2, 0.7, 2000)), 2)


def test_amounts_below_zero_are_far_from_amounts_that_end_at_it() -> None:
    past = [_ends(_amounts(seed)) for seed in range(3)]
    refunds = _amounts(9) * np.where(np.arange(2000) % 30 == 0, -1, 1)
    assert find(past, _ends(refunds)) is not None
    assert find(past, _ends(_amounts(9))) is None


@pytest.mark.parametrize(("mean", "side"), [(1080.0, "above"), (950.0, "below"), (1030.0, None), (1010.0, None)])
def test_a_level_without_a_common_value_is_found_and_a_season_is_not(mean: float, side: str | None) -> None:
    found = level(PAST, _ends(_values(9, mean=mean)))
    assert (found.side if found else None) == side


def test_a_counter_goes_on_and_two_windows_before_are_not_enough() -> None:
    counter = [_ends(np.arange(number * 2000.0, (number + 1) * 2000.0)) for number in range(5)]
    assert level(counter[:4], counter[4]) is None
    assert level(PAST[:2], _ends(_values(9, mean=1080.0))) is None


def _prices(seed: int, *steps: float) -> Floats:
    return np.random.default_rng(seed).choice(np.array(steps), 800)


IN_STEPS = [_ends(_prices(seed, 1.78, 1.99, 2.09, 2.18, 2.29)) for seed in range(3)]


def test_a_price_that_fell_is_a_step_more() -> None:
    assert find(IN_STEPS, _ends(_prices(9, 1.48, 1.99, 2.09, 2.18, 2.29))) is None
    assert find(IN_STEPS, _ends(_prices(9, 1.99, 2.09, 2.18, 2.29, 2.69))) is None


@pytest.mark.parametrize("code", [0.0, 0.99, 9.99, -1.0])
def test_a_code_for_missing_among_prices_is_found(code: float) -> None:
    found = find(IN_STEPS, _ends(_with(_prices(9, 1.78, 1.99, 2.09, 2.18, 2.29), code, 0.05)))
    assert found is not None
    assert found.value == code


def test_days_of_few_rows_are_held_against_all_rows_before() -> None:
    days = [_ends(_values(seed, rows=60)) for seed in range(30)]
    coded = _ends(_with(_values(99, rows=60), -9999.0, 0.1))
    found = find(days, coded)
    assert found is not None
    assert found.side == "below"
    assert find(days[:5], coded) is None
    assert find(days, _ends(_with(_values(99, rows=60), -9999.0, 0.02))) is None
    assert find(days, _ends(_values(99, mean=1030.0, rows=60))) is None
