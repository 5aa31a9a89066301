"""Run a table's rules through Great Expectations and say, per rule and per row, what broke."""

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import great_expectations as gx
import numpy as np
import pandas as pd
import pyarrow as pa
from great_expectations.core.batch_definition import BatchDefinition
from great_expectations.core.expectation_validation_result import ExpectationValidationResult
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.exceptions.exceptions import GreatExpectationsError

from airloop.data.expectations import COLUMN_KEYS, Rule
from airloop.data.finite import not_finite
from airloop.records import Record, TableCheck

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


@dataclass(frozen=True)
class Unreadable:
    """Rows that have no value of the declared type to judge: how many, and one result per reason."""

    rows: int = 0
    results: tuple[RuleResult, ...] = ()


@dataclass(frozen=True)
class Judgement:
    """The verdict on one table.

    Attributes:
        rows: Rows seen, those that cannot be read included.
        bad: Position of a readable row -> names of the critical row rules it breaks.
        problems: Why the table fails as a whole; empty when it does not.
        unreadable_rows: They are bad, and have no position.
    """

    table: str
    rows: int
    results: tuple[RuleResult, ...]
    bad: Mapping[int, tuple[str, ...]]
    problems: tuple[str, ...]
    unreadable_rows: int = 0

    @property
    def check(self) -> TableCheck:
        """The verdict as a record."""
        broken = [result for result in self.results if not result.passed]
        bad_rows = len(self.bad) + self.unreadable_rows
        return TableCheck(
            table=self.table,
            rows=self.rows,
            bad_rows=bad_rows,
            bad_share=bad_rows / self.rows if self.rows else 0.0,
            critical=tuple(dict.fromkeys(result.rule for result in broken if result.severity == "critical")),
            warnings=tuple(dict.fromkeys(result.rule for result in broken if result.severity == "warning")),
        )


def judge(
    table: str,
    rows: pa.Table,
    rules: Sequence[Rule],
    *,
    key: Sequence[str],
    parameters: Mapping[str, float],
    max_bad_share: float,
    unreadable: Unreadable = Unreadable(),
) -> Judgement:
    """Hold rows against their rules.

    The table fails when its share of rows that break a critical row rule or cannot be read is > max_bad_share, when a
    critical rule breaks that names no row, or when any rule cannot be computed: an error never counts as passed, nor as
    a mere warning. A row with an infinity or NaN in a column of numbers is bad whatever the rules say.

    Args:
        key: Columns shown beside an example, so that a person finds the row.
        parameters: Values of the `$PARAMETER` expressions.
        max_bad_share: 0 makes every bad row a failure.
    """
    frame = rows.to_pandas()
    bad: dict[int, tuple[str, ...]] = {}
    results, problems = [], []
    for rule, outcome in zip(rules, _validate(frame, rules, parameters), strict=True):
        result, broken = _read(rule, outcome, frame, key)
        results.append(result)
        if result.severity == "critical" and not result.passed:
            for position in broken:
                bad[position] = (*bad.get(position, ()), rule.name)
            # A rule that names no row (about the table, computed on a type, or not at all) can quarantine none.
            if not broken:
                seen = result.error or f"observed {result.observed}, expected {result.expected}"
                problems.append(f"{table}: {rule.name}: {seen}")
    for name, strange, value in not_finite(rows):
        positions = [int(position) for position in strange]
        result = _not_finite(frame, name, positions, value, key)
        results.append(result)
        for position in positions:
            bad[position] = (*bad.get(position, ()), result.rule)
    results += unreadable.results
    seen_rows, bad_rows = len(frame) + unreadable.rows, len(bad) + unreadable.rows
    if bad_rows > max_bad_share * seen_rows:
        problems.append(_too_many(table, seen_rows, bad=bad_rows, results=results, bound=max_bad_share))
    return Judgement(table, seen_rows, tuple(results), bad, tuple(problems), unreadable.rows)


def _not_finite(
    frame: pd.DataFrame, column: str, positions: Sequence[int], value: str, key: Sequence[str]
) -> RuleResult:
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
        found = batch.validate(suite, result_format=_FORMAT, expectation_parameters=dict(parameters)).results
    except (GreatExpectationsError, ArithmeticError) as error:
        return [f"the suite could not be computed: {error}"] * len(rules)
    by_position = {_position(result): result for result in found}
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
    seen, passed, expected = outcome.result, bool(outcome.success), _expected(outcome)
    if seen.get("unexpected_index_list") is None:
        observed = _plain(seen.get("observed_value"))
        return RuleResult(rule.name, about, rule.severity, passed, expected, None, observed, ()), ()
    broken = sorted(int(position) for position in seen["unexpected_index_list"])
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


def _too_many(table: str, rows: int, *, bad: int, results: Sequence[RuleResult], bound: float) -> str:
    broken = [
        result for result in results if not result.passed and result.severity == "critical" and result.broken_rows
    ]
    named = "; ".join(
        f"{result.rule} {result.broken_rows:,} (e.g. {', '.join(result.examples)})" for result in broken[:3]
    )
    return f"{table}: {bad:,} of {rows:,} rows ({bad / rows:.2%}) break a critical rule, more than {bound:.2%}: {named}"


def _plain(value: object) -> str:
    if value is None or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return "null"
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    if isinstance(value, (float, np.floating)):
        return f"{value:.6g}"
    return str(value)[:_SHOWN_CHARACTERS]
