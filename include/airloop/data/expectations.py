"""expectations.yaml: which Great Expectations rules each table must keep, and how bad it is when one breaks."""

import re
import reprlib
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from airloop.config import Pipeline, text_file
from airloop.config.loading import read_yaml
from airloop.config.nearest import nearest
from airloop.config.positions import with_line
from airloop.data.expectation_names import ROW_RULES, TABLE_RULES
from airloop.data.plain_rules import is_plain
from airloop.errors import ConfigError
from airloop.settings import Settings

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import Expectation

ADDED_COLUMNS = ("known_at", "created_at")
"""What ingestion adds to the columns a feed declares."""

_NOT_NULL = "expect_column_values_to_not_be_null"
COLUMN_KEYS = ("column", "column_A", "column_B", "column_list")
"""Arguments of an expectation that name columns."""


class Rule(BaseModel):
    """One expectation of a table.

    Attributes:
        type: Great Expectations' name, like expect_column_values_to_be_between.
        kwargs: Its arguments. A number may be `{$PARAMETER: "window_days * 600"}`: an expression over `window_days` and
            the `<table>_rows` of every table of the layer.
        severity: A row that breaks a critical row rule is quarantined; a critical rule about the table fails the
            window; a warning is recorded and passes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: str
    kwargs: dict[str, Any] = {}
    severity: Literal["critical", "warning"]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns the rule is about; empty for a rule about the table."""
        named = [self.kwargs[key] for key in COLUMN_KEYS if key in self.kwargs]
        return tuple(name for item in named for name in ([item] if isinstance(item, str) else item))

    @property
    def name(self) -> str:
        """`expect_column_values_to_be_between(distance_miles)`."""
        return f"{self.type}({', '.join(self.columns)})" if self.columns else self.type

    @property
    def about_rows(self) -> bool:
        """Whether it says which rows break it (a row rule), or only that the table does."""
        return self.type in ROW_RULES

    def build(self, position: int) -> "Expectation":
        """The expectation itself; its result carries `position` in its meta, because results come in another order."""
        # Only here: the library takes seconds to import, and most rules are checked without it.
        from great_expectations.expectations.metadata_types import FailureSeverity
        from great_expectations.expectations.registry import get_expectation_impl

        kind = get_expectation_impl(self.type)
        return kind(**self.kwargs, severity=FailureSeverity(self.severity), meta={"position": position})


class Expectations(BaseModel):
    """The rules of every table: `raw` by feed, `features` by feature view."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    raw: dict[str, tuple[Rule, ...]]
    features: dict[str, tuple[Rule, ...]] = {}


def load_expectations(pipeline: Pipeline, settings: Settings) -> Expectations:
    """Read expectations.yaml of a pipeline and check it against the declared feeds.

    Feature views are known only when they were built: `check_tables` compares them then.

    Raises:
        ConfigError: No such file, no YAML, an unknown key, table, expectation, argument, column or parameter, a feed
            without rules, or a critical row rule that nulls would pass unseen.
    """
    path = settings.pipelines_dir / pipeline.name / "expectations.yaml"
    declared = _parse(path)
    columns = {name: (*feed.columns, *ADDED_COLUMNS) for name, feed in pipeline.feeds.items()}
    wrong = [*_problems(check_tables, declared.raw, columns, place=f"{path}: raw")]
    for layer, suites in (("raw", declared.raw), ("features", declared.features)):
        parameters = {"window_days", *(f"{table}_rows" for table in suites)}
        for table, rules in suites.items():
            places = [f"{path}: {layer}.{table}.{position}" for position in range(len(rules))]
            refused = [
                line
                for rule, place in zip(rules, places, strict=True)
                for line in _problems(_check_rule, rule, parameters, place=place)
            ]
            # An unknown expectation has no kind to ask about.
            wrong += refused or _problems(_refuse_unseen_nulls, rules, place=f"{path}: {layer}.{table}")
    if wrong:
        text = text_file.read(path)
        raise ConfigError("\n".join(with_line(line, text) for line in wrong))
    return declared


def _problems(check: Callable[..., None], *arguments: Any, place: str) -> list[str]:
    try:
        check(*arguments, place=place)
    except ConfigError as error:
        return str(error).split("\n")
    return []


def check_tables(suites: Mapping[str, tuple[Rule, ...]], columns: Mapping[str, Collection[str]], *, place: str) -> None:
    """Every table has rules, every rule's table and columns exist.

    Args:
        columns: Table -> its columns.
        place: File and key for the message.

    Raises:
        ConfigError: One of them does not hold.
    """
    wrong = []
    for table, rules in suites.items():
        if table not in columns:
            wrong.append(f"{place}: unknown table {table!r}{nearest(table, columns)}")
            continue
        wrong += [
            f"{place}.{table}.{position}: {table} has no column {column!r}{nearest(column, columns[table])}"
            for position, rule in enumerate(rules)
            for column in rule.columns
            if column not in columns[table]
        ]
    wrong += [
        f"{place}: table {table!r} has no rules; an unchecked table is refused, add its key and nulls"
        for table in columns
        if not suites.get(table)
    ]
    if wrong:
        raise ConfigError("\n".join(wrong))


def _parse(path: Path) -> Expectations:
    if not path.is_file():
        raise ConfigError(f"{path}: missing; every pipeline declares what its tables must keep")
    text, data = read_yaml(path)
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: is empty or not a mapping of raw and features")
    try:
        return Expectations.model_validate(data)
    except ValidationError as error:
        lines = [with_line(f"{path}: {line}", text) for line in map(_explain, error.errors()[:5])]
        raise ConfigError("\n".join(lines)) from error


def _explain(item: Any) -> str:
    key = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        valid = Expectations.model_fields if len(item["loc"]) == 1 else Rule.model_fields
        return f"{key}: unknown key{nearest(str(item['loc'][-1]), valid)} (valid: {', '.join(valid)})"
    return f"{key}: {item['msg']} (got {reprlib.repr(item.get('input'))})"


def _check_rule(rule: Rule, parameters: Collection[str], *, place: str) -> None:
    known = ROW_RULES | TABLE_RULES
    if rule.type not in known:
        raise ConfigError(f"{place}.type: unknown expectation {rule.type!r}{nearest(rule.type, sorted(known))}")
    if not is_plain(rule.type, rule.kwargs):
        try:
            # A suite drops an expectation it cannot build with a line in the log: each is built on its own.
            rule.build(0)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"{place}.kwargs: {rule.type}: {_one_line(error)}") from error
    low, high = (rule.kwargs.get(bound) for bound in ("min_value", "max_value"))
    if isinstance(low, (int, float)) and isinstance(high, (int, float)) and low > high:
        raise ConfigError(f"{place}.kwargs: min_value {low} is above max_value {high}: no value would pass")
    if rule.severity == "critical" and rule.about_rows and rule.kwargs.get("mostly", 1) != 1:
        raise ConfigError(
            f"{place}.kwargs.mostly: a critical row rule quarantines every row; validation.max_bad_share bounds them"
        )
    for expression in _expressions(rule.kwargs.values()):
        for word in re.findall(r"[A-Za-z_]\w*", expression):
            if word not in parameters:
                valid = ", ".join(sorted(parameters))
                raise ConfigError(
                    f"{place}.kwargs: unknown parameter {word!r}{nearest(word, parameters)} (valid: {valid})"
                )


def _refuse_unseen_nulls(rules: tuple[Rule, ...], *, place: str) -> None:
    """A null passes every row rule but one: whoever checks values critically must say what a null means."""
    looked_at = {column for rule in rules if rule.type == _NOT_NULL for column in rule.columns}
    for position, rule in enumerate(rules):
        unseen = [column for column in rule.columns if column not in looked_at]
        if rule.severity == "critical" and rule.about_rows and unseen:
            raise ConfigError(
                f"{place}.{position}: a null in {unseen[0]!r} passes {rule.type}; add {_NOT_NULL} for it"
                " (severity critical, or warning where nulls are fine)"
            )


def _expressions(values: Iterable[Any]) -> list[str]:
    return [str(value["$PARAMETER"]) for value in values if isinstance(value, dict) and "$PARAMETER" in value]


def _one_line(error: Exception) -> str:
    return "; ".join(line.strip() for line in str(error).splitlines()[1:]) or str(error)
