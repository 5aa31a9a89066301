"""The verdict on a table: its rules, its rows that cannot be read, its numbers that are not finite."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from airloop.data.expectations import Rule
from airloop.data.finite import not_finite
from airloop.data.rule_results import RuleResult, not_finite_result, rule_results
from airloop.records import TableCheck


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
    for result, broken in rule_results(frame, rules, parameters, key=key):
        results.append(result)
        if result.severity == "critical" and not result.passed:
            for position in broken:
                bad[position] = (*bad.get(position, ()), result.rule)
            # A rule that names no row (about the table, computed on a type, or not at all) can quarantine none.
            if not broken:
                observed = result.error or f"observed {result.observed}, expected {result.expected}"
                problems.append(f"{table}: {result.rule}: {observed}")
    for name, strange, value in not_finite(rows):
        positions = [int(position) for position in strange]
        result = not_finite_result(frame, name, positions, value, key)
        results.append(result)
        for position in positions:
            bad[position] = (*bad.get(position, ()), result.rule)
    results += unreadable.results
    seen_rows, bad_rows = len(frame) + unreadable.rows, len(bad) + unreadable.rows
    if bad_rows > max_bad_share * seen_rows:
        problems.append(_too_many(table, seen_rows, bad=bad_rows, results=results, bound=max_bad_share))
    return Judgement(table, seen_rows, tuple(results), bad, tuple(problems), unreadable.rows)


def _too_many(table: str, rows: int, *, bad: int, results: Sequence[RuleResult], bound: float) -> str:
    broken = [
        result for result in results if not result.passed and result.severity == "critical" and result.broken_rows
    ]
    named = "; ".join(
        f"{result.rule} {result.broken_rows:,} (e.g. {', '.join(result.examples)})" for result in broken[:3]
    )
    return f"{table}: {bad:,} of {rows:,} rows ({bad / rows:.2%}) break a critical rule, more than {bound:.2%}: {named}"
