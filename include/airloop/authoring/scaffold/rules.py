"""Expectations a table suggests: keys, columns that are always there, ranges wide of what was seen, few texts."""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml

from airloop.authoring.scaffold.columns import Column
from airloop.authoring.scaffold.plan import Plan

_DIGITS = 2
_WIDTH = 116  # four more are the indentation


def feed_rules(
    columns: Iterable[Column], key: tuple[str, ...], plan: Plan, *, declared: Mapping[str, tuple[Any, ...]] = {}
) -> Iterator[str]:
    """Items of YAML for a feed, in an order a person reads: key, then column by column, then the table.

    A value that never was missing is critical (the row is set aside when it is), and so is a number far outside what
    was seen; a text never seen before, and more or fewer rows than ever, are news and no fault: warnings.

    Args:
        declared: Column -> its only values, as of a label with classes: any other is critical.
    """
    yield _unique(key)
    for column in columns:
        yield from _column_rules(column, plan, declared.get(column.name, ()))
    fewest, most = (f"window_days * {_plain(plan.rows_a_day * factor)}" for factor in (1 / 3, 3))
    bounds = {"min_value": {"$PARAMETER": fewest}, "max_value": {"$PARAMETER": most}}
    yield _rule("expect_table_row_count_to_be_between", bounds, "warning")


def static_rules(columns: Iterable[Column], key: str) -> Iterator[str]:
    """Items of YAML for a static table, which is replaced whole: its key, and ranges wide of what was seen."""
    yield _unique((key,))
    yield _rule("expect_column_values_to_not_be_null", {"column": key}, "critical")
    for column in columns:
        if column.low is not None and column.high is not None:
            low, high = _wide(column.low, column.high, whole=column.kind == "integer")
            bounds = {"column": column.name, "mostly": 0.99, "min_value": low, "max_value": high}
            yield _rule("expect_column_values_to_be_between", bounds, "warning")


def _column_rules(column: Column, plan: Plan, declared: tuple[Any, ...]) -> Iterator[str]:
    bounded = column.low is not None and column.high is not None
    if not column.nulls:
        yield _rule("expect_column_values_to_not_be_null", {"column": column.name}, "critical")
    elif bounded or declared:
        # A critical rule has to say what a null means: here it is fine, up to a point.
        there = 1 - column.nulls / plan.rows
        half = {"column": column.name, "mostly": math.floor(there * 50) / 100}
        says = f"{column.nulls:,} of {plan.rows:,} lack it"
        yield _rule("expect_column_values_to_not_be_null", half, "warning", says=says)
    if declared:
        values = {"column": column.name, "value_set": list(declared)}
        says = "the label: another spelling or a new class is not an outcome"
        yield _rule("expect_column_values_to_be_in_set", values, "critical", says=says)
        return
    if column.low is not None and column.high is not None:
        low, high = _wide(column.low, column.high, whole=column.kind == "integer")
        bounds = {"column": column.name, "min_value": low, "max_value": high}
        says = f"seen {column.low:g} to {column.high:g}"
        yield _rule("expect_column_values_to_be_between", bounds, "critical", says=says)
    if column.texts:
        values = {"column": column.name, "value_set": list(column.texts)}
        yield _rule("expect_column_values_to_be_in_set", values, "warning")


def view_rules(entity_key: str) -> Iterator[str]:
    """Items of YAML for the view: features are computed, so a broken critical rule fails the window."""
    yield _rule("expect_column_values_to_not_be_null", {"column": entity_key}, "critical")
    yield _rule("expect_column_values_to_be_unique", {"column": entity_key}, "critical")


def _unique(key: tuple[str, ...]) -> str:
    if len(key) == 1:
        return _rule("expect_column_values_to_be_unique", {"column": key[0]}, "critical")
    return _rule("expect_compound_columns_to_be_unique", {"column_list": list(key)}, "critical")


def _rule(kind: str, arguments: Mapping[str, Any], severity: str, *, says: str = "") -> str:
    kwargs = ", ".join(f"{name}: {flow(value)}" for name, value in arguments.items())
    comment = f"   # {says}" if says else ""
    whole = f"- {{type: {kind}, kwargs: {{{kwargs}}}, severity: {severity}}}{comment}"
    return whole if len(whole) <= _WIDTH else whole.replace(", kwargs", ",\n       kwargs", 1)


def flow(value: Any) -> str:
    """A value of texts, numbers, lists and mappings as YAML in flow style, on one line; mappings keep their order."""
    # In a list, for a text alone would be quoted as a line of its own needs it, not as one among others.
    text = yaml.dump(
        [value], Dumper=_OneLine, default_flow_style=True, sort_keys=False, allow_unicode=True, width=math.inf
    )
    return text.removeprefix("[").removesuffix("]\n")


class _OneLine(yaml.SafeDumper):
    """A text of several lines in double quotes: what is written stands at any indentation."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if "\n" in text else None)


_OneLine.add_representer(str, _text)
_OneLine.add_representer(tuple, yaml.SafeDumper.represent_list)


def _wide(low: float, high: float, *, whole: bool) -> tuple[float | int, float | int]:
    """The seen range and as much again on either side, rounded outwards; what never was negative stays so."""
    reach = (high - low) or abs(high) or 1.0
    unit = 10 ** (math.floor(math.log10(reach)) - _DIGITS + 1)
    below, above = math.floor((low - reach) / unit) * unit, math.ceil((high + reach) / unit) * unit
    below = max(below, 0.0) if low >= 0 else below
    if whole:
        return math.floor(below), math.ceil(above)
    return float(f"{below:.12g}"), float(f"{above:.12g}")


def _plain(value: float) -> str:
    """Two digits that count, without an exponent, whose `e` would be a parameter's name."""
    text = f"{float(f'{value:.{_DIGITS}g}'):.6f}"
    return text.rstrip("0").rstrip(".")
