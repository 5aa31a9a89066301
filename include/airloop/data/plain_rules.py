"""Rules that Great Expectations surely takes, told without it: its import is most of what `pipelines check` would cost.

Only a yes counts. What is not plainly right here (a rare rule, a number in quotes, a wrong argument) is built by Great
Expectations, which takes it or says what is wrong. A test builds what is called plain here.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

_Check = Callable[[Any], bool]
_MIN_COLUMNS = 2


def _text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _bound(value: Any) -> bool:
    return _number(value) or (
        isinstance(value, dict) and value.keys() == {"$PARAMETER"} and isinstance(value["$PARAMETER"], str)
    )


def _count(value: Any) -> bool:
    return _bound(value) and not isinstance(value, float)


def _share(value: Any) -> bool:
    return _number(value) and 0 <= value <= 1


def _values(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(_text(item) or _number(item) for item in value)


def _columns(value: Any) -> bool:
    return isinstance(value, list) and len(set(map(str, value))) >= _MIN_COLUMNS and all(map(_text, value))


_COLUMN: dict[str, _Check] = {"column": _text}
_ROWS: dict[str, _Check] = {**_COLUMN, "mostly": _share}
_PAIR: dict[str, _Check] = {"column_A": _text, "column_B": _text, "mostly": _share}
_STRICT: dict[str, _Check] = {"strict_min": _flag, "strict_max": _flag}
_BETWEEN: dict[str, _Check] = {"min_value": _bound, "max_value": _bound, **_STRICT}
_COUNTS: dict[str, _Check] = {"min_value": _count, "max_value": _count, **_STRICT}
_STATISTICS = ("max", "mean", "median", "min", "stdev", "sum")

_ARGUMENTS: dict[str, dict[str, _Check]] = {
    "expect_column_pair_values_a_to_be_greater_than_b": {**_PAIR, "or_equal": _flag},
    "expect_column_pair_values_to_be_equal": _PAIR,
    "expect_column_value_lengths_to_be_between": {**_ROWS, **_COUNTS},
    "expect_column_values_to_be_between": {**_ROWS, **_BETWEEN},
    "expect_column_values_to_be_in_set": {**_ROWS, "value_set": _values},
    "expect_column_values_to_be_null": _ROWS,
    "expect_column_values_to_be_unique": _ROWS,
    "expect_column_values_to_match_regex": {**_ROWS, "regex": _text},
    "expect_column_values_to_not_be_in_set": {**_ROWS, "value_set": _values},
    "expect_column_values_to_not_be_null": _ROWS,
    "expect_column_values_to_not_match_regex": {**_ROWS, "regex": _text},
    "expect_compound_columns_to_be_unique": {"column_list": _columns, "mostly": _share},
    "expect_column_unique_value_count_to_be_between": {**_COLUMN, **_COUNTS},
    "expect_table_row_count_to_be_between": _COUNTS,
    **{f"expect_column_{name}_to_be_between": {**_COLUMN, **_BETWEEN} for name in _STATISTICS},
}
PLAIN = frozenset(_ARGUMENTS)
"""The rules this module knows."""


def _in_order(arguments: Mapping[str, Any]) -> bool:
    """Whether there is a bound, and the lower one does not lie above the upper one."""
    bounds = [arguments[name] for name in ("min_value", "max_value") if name in arguments]
    numbers = [bound for bound in bounds if _number(bound)]
    return bool(bounds) and numbers == sorted(numbers)


_MAY_LACK = {"mostly", "or_equal", *_BETWEEN}


def is_plain(kind: str, arguments: Mapping[str, Any]) -> bool:
    """Whether a rule is one of the usual ones with arguments of the plainest types, none missing and none unknown."""
    known = _ARGUMENTS.get(kind)
    if known is None or not known.keys() - _MAY_LACK <= arguments.keys() <= known.keys():
        return False
    if "min_value" in known and not _in_order(arguments):
        return False
    return all(known[name](value) for name, value in arguments.items())
