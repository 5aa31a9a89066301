"""Columns that go with what they went with were not exchanged, wherever their values lie."""

from airloop.data.feed_history import kept_company
from airloop.data.feed_history.sketch import Sketch


def _sketch(temp: float, dewp: float) -> Sketch:
    return Sketch((), relations={"temp ~ humid": (temp, 500), "dewp ~ humid": (dewp, 500), "temp ~ dewp": (0.8, 500)})


PAST = [_sketch(-0.5, 0.2), _sketch(-0.45, 0.25), _sketch(-0.6, 0.1)]


def test_who_goes_with_the_humidity_as_before_was_not_exchanged() -> None:
    assert kept_company.both(PAST, _sketch(-0.48, 0.15), "temp", "dewp")


def test_who_goes_with_it_as_the_other_did_may_have_been() -> None:
    assert not kept_company.both(PAST, _sketch(0.2, -0.5), "temp", "dewp")


def test_columns_that_go_with_all_alike_say_nothing() -> None:
    alike = [_sketch(-0.5, -0.45), _sketch(-0.4, -0.5)]
    assert not kept_company.both(alike, _sketch(-0.5, -0.45), "temp", "dewp")


def test_without_a_third_column_nothing_is_said() -> None:
    alone = Sketch((), relations={"temp ~ dewp": (0.8, 500)})
    assert not kept_company.both([alone, alone], alone, "temp", "dewp")
