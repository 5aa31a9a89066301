"""How each rule fared on the rows of a table, as Great Expectations computed it."""

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import great_expectations as gx
import numpy as np
import pandas as pd
from great_expectations.core.batch_definition import BatchDefinition
from great_expectations.core.expectation_validation_result import ExpectationValidationResult
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.exceptions.exceptions import GreatExpectationsError

from airloop.data.expectations import COLUMN_KEYS, Rule
from airloop.records import Record

_SHOWN_EXAMPLES = 3

_SHOWN_CHARACTERS = 120

_FORMAT = {"result_format": "COMPLETE", "return_unexpected_index_query": False}


@dataclass(frozen=True)
class RuleResult(Record):
    """How one rule fared.

    Attributes:
        severity: As declared; a rule that could not be computed is `critical`, whatever it declared.
        expected: The rule's arguments, with parameters computed.
        broken_rows: Rows that break a row rule; None for a rule that names no row.
        observed: What was seen, in words.
        examples: Up to three rows (key: values) that break it.
        error: Why it could not be computed; None when it was.
    """

    rule: str
    about: str
    severity: str
    passed: bool
    expected: str
    broken_rows: int | None
    observed: str
    examples: tuple[str, ...]
    error: str | None = None


def rule_results(
    frame: pd.DataFrame, rules: Sequence[Rule], parameters: Mapping[str, float], *, key: Sequence[str]
) -> Iterator[tuple[RuleResult, Sequence[int]]]:
    """Each rule's result, in the order of the rules, with the positions of the rows that break it."""
    for rule, outcome in zip(rules, _validate(frame, rules, parameters), strict=True):
        yield _read(rule, outcome, frame, key)


def not_finite_result(
    frame: pd.DataFrame, column: str, positions: Sequence[int], value: str, key: Sequence[str]
) -> RuleResult:
    """A broken rule of its own: rows at `positions` hold an infinity or NaN, the first of them `value`."""
    examples = []
    for position in positions[:_SHOWN_EXAMPLES]:
        row = frame.iloc[position]
        identity = " ".join(_plain(row[name]) for name in key if name in frame.columns)
        examples.append(f"{identity}: {column}={value}")
    return RuleResult(
        f"finite({column})",
        about="row",
        severity="critical",
        passed=False,
        expected="a finite number, or nothing",
        broken_rows=len(positions),
        observed=f"{len(positions):,} of {len(frame):,} rows",
        examples=tuple(examples),
    )


def _validate(
    frame: pd.DataFrame, rules: Sequence[Rule], parameters: Mapping[str, float]
) -> list[ExpectationValidationResult | str]:
    """Results in the order of the rules; text is why a rule could not be computed."""
    batch = _whole_frame().get_batch({"dataframe": frame})
    suite = gx.ExpectationSuite(
        name="rules", expectations=[rule.build(position) for position, rule in enumerate(rules)]
    )
    try:
        results = batch.validate(suite, result_format=_FORMAT, expectation_parameters=dict(parameters)).results
    except (GreatExpectationsError, ArithmeticError) as error:
        return [f"the suite could not be computed: {error}"] * len(rules)
    by_position = {_position(result): result for result in results}
    return [by_position.get(position, "Great Expectations returned no result for it") for position in range(len(rules))]


def _position(outcome: ExpectationValidationResult) -> int | None:
    config = outcome.expectation_config
    return None if config is None or config.meta is None else config.meta.get("position")


@cache
def _whole_frame() -> BatchDefinition[Any]:
    # Else some 200 lines per run; the second logger sets its own level.
    for name in ("great_expectations", "great_expectations.data_context.types.base"):
        logging.getLogger(name).setLevel(logging.WARNING)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    asset = context.data_sources.add_pandas("lake").add_dataframe_asset("rows")
    return asset.add_batch_definition_whole_dataframe("whole")


def _read(
    rule: Rule, outcome: ExpectationValidationResult | str, frame: pd.DataFrame, key: Sequence[str]
) -> tuple[RuleResult, Sequence[int]]:
    """The rule's result, and the positions of the rows that break it."""
    about = "row" if rule.about_rows else "table"
    error = outcome if isinstance(outcome, str) else _error(outcome)
    if isinstance(outcome, str) or error is not None:
        return RuleResult(rule.name, about, "critical", False, "", None, "", (), error), ()
    details, passed, expected = outcome.result, bool(outcome.success), _expected(outcome)
    if details.get("unexpected_index_list") is None:
        observed = _plain(details.get("observed_value"))
        return RuleResult(rule.name, about, rule.severity, passed, expected, None, observed, ()), ()
    broken = sorted(int(position) for position in details["unexpected_index_list"])
    observed = f"{len(broken):,} of {len(frame):,} rows"
    examples = tuple(_example(frame, position, rule, key) for position in broken[:_SHOWN_EXAMPLES])
    return RuleResult(rule.name, about, rule.severity, passed, expected, len(broken), observed, examples), broken


def _error(outcome: ExpectationValidationResult) -> str | None:
    """Why a rule raised; it has two shapes: one entry, or one per metric."""
    info = outcome.exception_info or {}
    entries = [info] if "raised_exception" in info else [entry for entry in info.values() if isinstance(entry, dict)]
    for entry in entries:
        if entry.get("raised_exception"):
            return f"could not be computed: {str(entry.get('exception_message')).splitlines()[0][:_SHOWN_CHARACTERS]}"
    return None if outcome.result else "could not be computed: no result"


def _expected(outcome: ExpectationValidationResult) -> str:
    config = outcome.expectation_config
    arguments = {} if config is None else config.kwargs
    hidden = {"batch_id", *COLUMN_KEYS}
    return ", ".join(f"{name} {_plain(value)}" for name, value in arguments.items() if name not in hidden)


def _example(frame: pd.DataFrame, position: int, rule: Rule, key: Sequence[str]) -> str:
    row = frame.iloc[position]
    identity = " ".join(_plain(row[name]) for name in key if name in frame.columns)
    values = ", ".join(f"{name}={_plain(row[name])}" for name in rule.columns if name not in key)
    return f"{identity}: {values}" if values else identity


def _plain(value: object) -> str:
    if value is None or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return "null"
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    if isinstance(value, (float, np.floating)):
        return f"{value:.6g}"
    return str(value)[:_SHOWN_CHARACTERS]
