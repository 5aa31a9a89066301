"""Codes have few shapes: a new one is found, by its share; words, names and counters have many and are left alone."""

import polars as pl
import pytest

from airloop.data.feed_history.text_shapes import new_shape, shapes_of

MONTHS = 3
ZIPS = [f"{10001 + 37 * n:05d}" for n in range(900)] + [f"0{2134 + n}" for n in range(100)]
PHONES = [f"+49 30 {100000 + 7 * n}" for n in range(1000)]
DISEASES = [f"{letter}{10 + n}.{n % 10}" for letter in "AJKM" for n in range(60)]
TAILS = [f"N{100 + n}{'AA' if n % 2 else 'UA'}" for n in range(500)]
UUIDS = [f"{n * 2654435761 % 2**32:08x}-{n:04x}" for n in range(400)]
FIRST = ("Al", "Ann", "Dörte", "Chimamanda N.", "e. e.", "Bartholomew", "Jo-Anne", "Li", "Maria")
LAST = ("Lee", "de Vries", "Adichie", "Müller-Lüdenscheidt", "cummings", "O'Neill", "Ng", "Papadopoulos", "Smith")
NAMES = [f"{first} {last}" for first in FIRST for last in LAST] * 4
SHOPS = ["north", "south", "west"] * 100
SENTENCES = [f"the {'very ' * (n % 7)}quick fox no. {n} jumps{'!' * (n % 5)}" for n in range(300)]


def _found(before: list[str], now: list[str]) -> str:
    past = [shapes for part in (before, before[::-1], before) if (shapes := shapes_of(pl.Series(part)))]
    window = shapes_of(pl.Series(now))
    new = new_shape(past, window) if window and len(past) == MONTHS else None
    return new.example if new else ""


@pytest.mark.parametrize(
    ("before", "now", "example"),
    [
        pytest.param(ZIPS, [text.lstrip("0") for text in ZIPS], "2134", id="leading zeros lost"),
        pytest.param(PHONES, [text.replace("+49 ", "0") for text in PHONES], "030 100000", id="a national number"),
        pytest.param(PHONES, [text.replace(" ", "") for text in PHONES], "+4930100000", id="blanks lost"),
        pytest.param(DISEASES, [text.replace(".", "") for text in DISEASES], "A100", id="a dot lost"),
        pytest.param(DISEASES, [text.lower() for text in DISEASES], "a10.0", id="lower case"),
        pytest.param(TAILS, [text[1:] for text in TAILS], "100UA", id="a letter lost"),
        pytest.param(TAILS, [f"{text} " for text in TAILS], "N100UA ", id="a blank at the end"),
        pytest.param(ZIPS, [f"{text}.0" for text in ZIPS], "02134.0", id="through a float"),
        pytest.param(ZIPS, ZIPS[:950] + ["NA"] * 50, "NA", id="a word for missing"),
        pytest.param(ZIPS, [f"{text}-0001" for text in ZIPS], "02134-0001", id="more than before"),
    ],
)
def test_another_shape_is_found_with_a_value_of_it(before: list[str], now: list[str], example: str) -> None:
    assert _found(before, now) == example


@pytest.mark.parametrize(
    ("before", "now"),
    [
        pytest.param(ZIPS, ZIPS[::3], id="the same"),
        pytest.param(ZIPS, [*ZIPS[:990], *["NA"] * 10], id="one row in a hundred"),
        pytest.param([str(n) for n in range(9000, 9900)], [str(n) for n in range(9900, 11000)], id="a counter"),
        pytest.param(UUIDS, [f"{n * 40503 % 2**32:08x}-{n:04x}" for n in range(400, 800)], id="hexadecimal ids"),
        pytest.param(NAMES, [name.replace("Ann", "Marie-Claire") for name in NAMES], id="names"),
        pytest.param(SHOPS, [*SHOPS, *["downtown"] * 30], id="a new shop"),
        pytest.param(SENTENCES, [f"A {text}?" for text in SENTENCES], id="sentences"),
        pytest.param(ZIPS, ["1"] * 20, id="too few rows"),
    ],
)
def test_what_comes_in_every_shape_or_grows_is_left_alone(before: list[str], now: list[str]) -> None:
    assert _found(before, now) == ""


def test_one_window_before_is_too_few() -> None:
    before, now = shapes_of(pl.Series(ZIPS)), shapes_of(pl.Series([text.lstrip("0") for text in ZIPS]))
    assert before is not None
    assert now is not None
    assert new_shape([before], now) is None


def test_a_column_without_a_value_has_no_shapes() -> None:
    assert shapes_of(pl.Series([None, None], dtype=pl.String)) is None
