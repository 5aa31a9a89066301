"""What is called a plain rule is one that Great Expectations takes; the lists are the installed version's."""

from itertools import product
from typing import Any

import pytest
from great_expectations.expectations.expectation import (
    ColumnMapExpectation,
    ColumnPairMapExpectation,
    MulticolumnMapExpectation,
)
from great_expectations.expectations.registry import get_expectation_impl, list_registered_expectation_implementations

from airloop.data.expectation_names import ROW_RULES, TABLE_RULES
from airloop.data.expectations import Rule
from airloop.data.plain_rules import PLAIN, is_plain

VALUES = (
    *("size", "", "[", True, 0, -1, 3, 0.5, 1.5, float("inf"), float("nan"), None, {}),
    *(["a", "b"], ["a"], ["a", "a"], [], [1, 2.5], [None], [["a"]], {"$PARAMETER": 3}, {"$PARAMETER": "days"}),
)  # fmt: skip
ARGUMENTS = ("column", "column_A", "column_B", "column_list", "value_set", "regex", "min_value", "max_value", "mostly")
SOUND: dict[str, Any] = {
    "column": "a", "column_A": "a", "column_B": "b", "column_list": ["a", "b"], "value_set": ["x"], "regex": "^a",
    "min_value": 1,
}  # fmt: skip


def test_the_lists_are_those_of_the_installed_version() -> None:
    kinds = (ColumnMapExpectation, ColumnPairMapExpectation, MulticolumnMapExpectation)
    names = set(list_registered_expectation_implementations())
    assert {name for name in names if issubclass(get_expectation_impl(name), kinds)} == ROW_RULES
    assert names - ROW_RULES == TABLE_RULES


@pytest.mark.parametrize("kind", sorted(PLAIN))
def test_what_is_called_plain_is_built(kind: str) -> None:
    fields = get_expectation_impl(kind).__fields__
    sound = {name: value for name, value in SOUND.items() if name in fields}
    assert is_plain(kind, sound)
    for name, value in product((*ARGUMENTS, "or_equal", "strict_min", "strict_max"), VALUES):
        arguments = {**sound, name: value}
        if is_plain(kind, arguments):
            Rule(type=kind, kwargs=arguments, severity="critical").build(0)
    for name in sound:
        lacking = {key: value for key, value in sound.items() if key != name}
        assert not is_plain(kind, lacking)


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("expect_column_values_to_be_between", {"column": "a", "min_valu": 0}),
        ("expect_column_values_to_be_between", {"column": "a"}),
        ("expect_column_values_to_be_between", {"column": "a", "min_value": "0"}),
        ("expect_column_values_to_be_in_set", {"column": "a", "value_set": "abc"}),
        ("expect_compound_columns_to_be_unique", {"column_list": ["a"]}),
        ("expect_column_values_to_not_be_null", {"column": "a", "mostly": 1.5}),
        ("expect_column_values_to_not_be_null", {"column": 3}),
        ("expect_table_row_count_to_be_between", {"min_value": 1.5}),
        ("expect_column_to_exist", {"column": "a"}),
    ],
)
def test_what_is_not_plainly_right_is_left_to_great_expectations(kind: str, arguments: dict[str, Any]) -> None:
    assert not is_plain(kind, arguments)
