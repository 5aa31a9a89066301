"""Hours of the day that lost their rows are found; nights, growth, summer clocks and quiet hours are not."""

import numpy as np
import pytest

from airloop.data.feed_history import lost_hours

DAY = np.array(
    [20, 10, 10, 10, 20, 50, 100, 180, 220, 240, 250, 260, 270, 260, 250, 240, 250, 260, 240, 200, 150, 100, 60, 30]
)
PAST = [[int(rows) for rows in DAY * factor] for factor in (1.0, 1.1, 0.9, 1.2)]


def _window(**hours: float) -> list[int]:
    return [int(rows * hours.get(f"h{hour}", 1.0)) for hour, rows in enumerate(DAY)]


@pytest.mark.parametrize(
    ("window", "hours"),
    [
        pytest.param(_window(h12=0.0), [12], id="an hour"),
        pytest.param(_window(h12=0.45), [12], id="half of an hour"),
        pytest.param(_window(h12=0.1, h13=0.1, h14=0.1), [12, 13, 14], id="three hours"),
        pytest.param([3 * rows for rows in _window(h12=0.2)], [12], id="an hour of a month that grew"),
    ],
)
def test_hours_without_their_rows_are_named(window: list[int], hours: list[int]) -> None:
    found = lost_hours.find(PAST, window)
    assert found is not None
    assert found[0] == hours
    assert found[1] < found[2]


@pytest.mark.parametrize(
    ("past", "window"),
    [
        pytest.param(PAST, _window(), id="as ever"),
        pytest.param(PAST, [5 * rows for rows in _window()], id="growth"),
        pytest.param(PAST, [rows // 3 for rows in _window()], id="a quiet month"),
        pytest.param(PAST, [int(rows) for rows in np.roll(DAY, 1)], id="a summer clock"),
        pytest.param(PAST, [int(rows) for rows in np.roll(DAY, -1)], id="its end"),
        pytest.param(PAST, _window(h1=0.0, h2=0.0), id="hours that were nearly empty"),
        pytest.param(PAST, _window(h12=0.7), id="a quieter noon"),
        pytest.param(PAST, [int(rows) for rows in np.roll(DAY, 6)], id="another clock"),
        pytest.param(PAST[:2], _window(h12=0.0), id="too short a past"),
        pytest.param([*PAST, _window(h12=0.0)], _window(h12=0.0), id="it was so before"),
    ],
)
def test_what_goes_on_as_it_did_is_not(past: list[list[int]], window: list[int]) -> None:
    assert lost_hours.find(past, window) is None
