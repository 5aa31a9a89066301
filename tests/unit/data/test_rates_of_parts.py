"""One shop whose outcomes are turned is found among the others; a season of all and a few rows are not."""

import pytest

from airloop.data.feed_history import rates_of_parts
from airloop.data.feed_history.rates_of_parts import Profiles


def _window(**shares: tuple[int, float]) -> Profiles:
    return {name: {"1": round(rows * share), "0": rows - round(rows * share)} for name, (rows, share) in shares.items()}


PAST = [_window(north=(200, 0.30 + 0.02 * n), south=(300, 0.2 + 0.02 * n), west=(150, 0.4)) for n in range(5)]


def test_the_shop_whose_outcomes_are_turned_is_named() -> None:
    found = rates_of_parts.find(PAST, _window(north=(210, 0.68), south=(290, 0.24), west=(160, 0.41)))
    assert found is not None
    assert (found.name, round(found.observed, 2)) == ("north", 0.68)
    assert found.expected == pytest.approx(0.34, abs=0.01)


def test_a_shop_without_any_outcome_of_a_kind_is_named() -> None:
    none = rates_of_parts.find(PAST, _window(north=(140, 0.0), south=(290, 0.24), west=(160, 0.41)))
    assert none is not None
    assert (none.name, none.outcome, none.observed) == ("north", "1", 0.0)


@pytest.mark.parametrize(
    ("past", "now"),
    [
        pytest.param(PAST, _window(north=(210, 0.35), south=(290, 0.24), west=(160, 0.41)), id="as ever"),
        pytest.param(PAST, _window(north=(210, 0.65), south=(290, 0.5), west=(160, 0.72)), id="a season of all"),
        pytest.param(PAST, _window(north=(40, 0.68), south=(290, 0.24), west=(160, 0.41)), id="a few rows"),
        pytest.param(PAST[:3], _window(north=(210, 0.68), south=(290, 0.24), west=(160, 0.41)), id="a short past"),
        pytest.param(
            [*PAST, _window(north=(200, 0.7), south=(300, 0.2), west=(150, 0.4))],
            _window(north=(210, 0.68), south=(290, 0.24), west=(160, 0.41)),
            id="it has been so before",
        ),
    ],
)
def test_what_all_do_or_few_rows_say_is_not(past: list[Profiles], now: Profiles) -> None:
    assert rates_of_parts.find(past, now) is None
