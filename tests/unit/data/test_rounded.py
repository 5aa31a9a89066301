"""Fractions that every window had and that are gone: rounded on the way; whole numbers of old are not."""

import polars as pl
import pytest
from tests.support.flight_months import alarms, changed


def _kinds(value: pl.Expr) -> set[tuple[str, str]]:
    return {(alarm.kind, alarm.subject) for alarm in alarms(changed("weather", temp=value))}


TEMP = pl.col("temp")


@pytest.mark.parametrize("value", [pytest.param(TEMP.round(0), id="rounded"), pytest.param(TEMP.floor(), id="cut off")])
def test_a_column_without_its_fractions_is_told(value: pl.Expr) -> None:
    assert ("rounded", "weather.temp") in _kinds(value)


def test_another_unit_in_whole_numbers_is_told_as_that() -> None:
    kinds = _kinds(((TEMP - 32) / 1.8).round(0))
    assert ("unit_change", "weather.temp") in kinds
    assert ("rounded", "weather.temp") not in kinds


def test_fractions_and_whole_numbers_of_old_are_not() -> None:
    assert not {kind for kind, _ in _kinds(TEMP)}
