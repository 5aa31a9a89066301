"""A column that says in numbers what two instants say: grown by five, or of other rows in part, it no longer does."""

import numpy as np
import polars as pl
import pytest

from airloop.data.feed_history import agreements

BETWEEN = "landed - planned"
Found = dict[str, tuple[float, int]]


def _window(seed: int, *, plus: float = 0.0, other_rows: float = 0.0, unit: float = 1.0, rows: int = 2000) -> Found:
    draw = np.random.default_rng(seed)
    minutes = draw.normal(5, 30, rows).round()
    late = minutes + plus
    mixed = draw.uniform(size=rows) < other_rows
    late[mixed] = draw.permutation(late[mixed])
    frame = pl.DataFrame({"late": late * unit, "size": draw.normal(size=rows), BETWEEN: minutes})
    return agreements.find(frame, ["late", "size"], [BETWEEN])


PAST = [_window(seed) for seed in range(3)]


@pytest.mark.parametrize(
    "now",
    [
        pytest.param(_window(9, plus=5.0), id="five minutes more in every row"),
        pytest.param(_window(9, plus=-1.0), id="one less"),
        pytest.param(_window(9, other_rows=0.05), id="one row in twenty is another's"),
        pytest.param(_window(9, unit=60.0), id="seconds"),
    ],
)
def test_numbers_that_no_longer_say_what_the_instants_say_are_found(now: Found) -> None:
    (found,) = agreements.broken(PAST, now)
    assert found.name == f"late ~ {BETWEEN}"
    assert "that many minutes" in found.how
    assert found.observed < 0.97 < found.expected


@pytest.mark.parametrize(
    ("past", "now"),
    [
        pytest.param(PAST, _window(9), id="as before"),
        pytest.param(PAST, _window(9, other_rows=0.005), id="a few rows"),
        pytest.param(PAST[:1], _window(9, plus=5.0), id="one window before"),
        pytest.param([_window(s, other_rows=0.5) for s in range(3)], _window(9, plus=5.0), id="it never did"),
        pytest.param(PAST, _window(9, plus=5.0, rows=40), id="too few rows"),
    ],
)
def test_what_agrees_or_never_did_is_not(past: list[Found], now: Found) -> None:
    assert list(agreements.broken(past, now)) == []


def test_seconds_and_hours_are_known_too() -> None:
    for unit, name in ((60.0, "seconds"), (1 / 60, "hours")):
        found = _window(1, unit=unit)
        assert found[f"late ~ {BETWEEN} in {name}"][0] == 1.0


def test_instants_that_always_lie_as_far_apart_say_nothing_of_a_small_number() -> None:
    frame = pl.DataFrame({"warmth": np.linspace(0.0, 0.4, 200), BETWEEN: np.zeros(200)})
    assert agreements.find(frame, ["warmth"], [BETWEEN]) == {}
