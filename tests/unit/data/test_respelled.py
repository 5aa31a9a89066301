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
        ("SÃ¼d", "Süd"),
        ("S?d", "Süd"),
        ("S\ufffdd", "Süd"),
        ("Sued", "Süd"),
        ("S&uuml;d", "Süd"),
        ("S%C3%BCd", "Süd"),
        ("west%20coast", "west coast"),
        ("west_coast", "west coast"),
        ("west-coast", "west coast"),
        ('"North"', "North"),
        ("'North'", "North"),
    ],
)
def test_a_spelling_that_no_window_had_is_found_in_one_row_of_a_hundred(value: str, like: str) -> None:
    found = respelled.find(PAST, _texts({value: 10}))
    assert found is not None
    assert (found.value, found.like) == (value, like)
    assert found.share == pytest.approx(10 / 1010)


@pytest.mark.parametrize("value", ["2.0", "02", "2.", "2,0", "+2", " 2"])
def test_a_code_that_has_passed_through_a_table_program_is_found(value: str) -> None:
    codes = {"1": 500, "2": 300, "12": 200}
    found = respelled.find([Texts(1000, 3, codes)], Texts(1010, 4, {**codes, value: 10}))
    assert found is not None
    assert (found.value, found.like) == (value, "2")


@pytest.mark.parametrize("value", ["3", "-2", "1-2", "1.2", "22"])
def test_another_number_is_a_new_code(value: str) -> None:
    codes = {"1": 500, "2": 300, "12": 200}
    assert respelled.find([Texts(1000, 3, codes)], Texts(1010, 4, {**codes, value: 10})) is None


def test_a_text_that_ends_where_a_field_ends_is_found() -> None:
    found = respelled.find(PAST, Texts(1000, 3, {"North": 500, "Süd": 300, "west c": 200}))
    assert found is not None
    assert (found.value, found.like) == ("west c", "west coast")


def test_a_shorter_name_beside_the_long_one_is_a_name_of_its_own() -> None:
    assert respelled.find(PAST, _texts({"west": 100})) is None


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
