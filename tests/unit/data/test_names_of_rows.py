"""Names: one that takes over, and names that are cut or numbered anew; growth and a large customer are not."""

import pytest

from airloop.data.feed_history import new_values
from airloop.data.feed_history.sketch import Texts


def _names(different: int, rows: int, *, first: int = 0) -> Texts:
    each = max(1, rows // different)
    top = {f"c{number}": each for number in range(min(different, 299))}
    return Texts(rows, different, dict(sorted({"c0": first or each, **top, "big": first}.items(), key=lambda i: -i[1])))


PAST = [_names(1500 + number, 2000) for number in range(3)]


def test_a_name_in_a_tenth_of_the_rows_is_found() -> None:
    found = new_values.one_name(PAST, _names(1400, 2000, first=320))
    assert found is not None
    assert found[1:] == (0.16, 0.0005)


@pytest.mark.parametrize(
    ("past", "now"),
    [
        pytest.param(PAST, _names(1500, 2000), id="as ever"),
        pytest.param(PAST, _names(1500, 2000, first=90), id="a large customer"),
        pytest.param([_names(20, 2000)] * 3, _names(20, 2000, first=900), id="a category"),
        pytest.param(PAST[:2], _names(1400, 2000, first=320), id="too short a past"),
    ],
)
def test_a_large_customer_and_a_category_are_not(past: list[Texts], now: Texts) -> None:
    assert new_values.one_name(past, now) is None


def test_names_of_which_a_third_is_left_are_found() -> None:
    assert new_values.fewer_names(PAST, _names(400, 2000)) == (0.2, pytest.approx(0.75))


@pytest.mark.parametrize(
    ("different", "rows"),
    [
        pytest.param(1200, 2000, id="as ever"),
        pytest.param(1600, 9000, id="growth"),
        pytest.param(30, 40, id="few rows"),
    ],
)
def test_growth_and_few_rows_are_not(different: int, rows: int) -> None:
    assert new_values.fewer_names(PAST, _names(different, rows)) is None
