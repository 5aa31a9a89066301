"""Another spelling of a known value and a word for "missing" are found in few rows; new names and slips are not."""

import pytest

from airloop.data.feed_history import respelled
from airloop.data.feed_history.sketch import Texts

PAST = [Texts(1000, 3, {"North": 500, "Süd": 300, "west coast": 200})]


def _texts(more: dict[str, int]) -> Texts:
    top = {"North": 500, "Süd": 300, "west coast": 200, **more}
    return Texts(sum(top.values()), len(top), top)


@pytest.mark.parametrize(
    ("value", "like"),
    [
        ("north", "North"),
        ("NORTH ", "North"),
        ("Su\u0308d", "Süd"),
        ("Sud", "Süd"),
        ("west\u00a0coast", "west coast"),
        ("Nor\u200bth", "North"),
        ("N/A", ""),
        ("NaN", ""),
        ("null", ""),
        ("-", ""),
    ],
)
def test_a_spelling_that_no_window_had_is_found_in_one_row_of_a_hundred(value: str, like: str) -> None:
    found = respelled.find(PAST, _texts({value: 10}))
    assert found is not None
    assert (found.value, found.like) == (value, like)
    assert found.share == pytest.approx(10 / 1010)


@pytest.mark.parametrize(
    ("past", "now"),
    [
        pytest.param(PAST, {}, id="as ever"),
        pytest.param(PAST, {"east": 100}, id="a new name"),
        pytest.param(PAST, {"north": 3}, id="three slips"),
        pytest.param([], {"north": 100}, id="no window before"),
        pytest.param([_texts({"north": 1, "NA": 1})], {"north": 400, "NA": 50}, id="it was there before"),
    ],
)
def test_new_names_slips_and_known_spellings_are_not(past: list[Texts], now: dict[str, int]) -> None:
    assert respelled.find(past, _texts(now)) is None
