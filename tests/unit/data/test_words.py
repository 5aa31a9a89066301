"""Lines of totals and rows of trials are found by their words; names that hold such a word are not."""

import polars as pl
import pytest

from airloop.data.feed_history import words


@pytest.mark.parametrize(
    ("text", "total"),
    [("TOTAL", True), ("Total 2024-01-05", True), ("Grand total", True), ("subtotal", True), ("Summe", True),
     ("TEST", False), ("test_17", False), (" Dummy ", False)],
)  # fmt: skip
def test_a_word_for_what_is_no_event_is_found(text: str, total: bool) -> None:
    found = words.find(pl.DataFrame({"shop": ["north", text, "south", text]}), ["shop"])
    assert words.new([{}], found, "shop") == (text, 2, total)


@pytest.mark.parametrize("text", ["Total Gas Ltd", "Testarossa", "T-2024", "Contest", "Summit", "totally", "TESTER"])
def test_a_name_that_holds_such_a_word_is_not(text: str) -> None:
    found = words.find(pl.DataFrame({"shop": ["north", text, "south", text]}), ["shop"])
    assert words.new([{}], found, "shop") is None


def test_a_word_that_was_there_before_is_a_name() -> None:
    found = words.find(pl.DataFrame({"shop": ["Total", "Total", "south"]}), ["shop"])
    assert words.new([{"shop": {"Total": 7}}], found, "shop") is None
    assert words.new([], found, "shop") is None
