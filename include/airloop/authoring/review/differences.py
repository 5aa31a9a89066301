"""What a change changes: files, declared values, features, expectations."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from airloop.authoring.review.declaration import Declaration
from airloop.config import Pipeline
from airloop.data import expectations
from airloop.features import feature_store
from airloop.settings import Settings

_SHOWN_CHARACTERS = 100


@dataclass(frozen=True)
class Differences:
    """A declaration against the one of the base.

    Attributes:
        values: One line per declared value that differs, like `training.seed: 7 -> 8`.
        added: Features only the change has; `removed` likewise.
        redefined: Whether the features mean something else: earlier models cannot be scored on them.
        rules: One line per expectation only one side has, like `+ raw.jobs expect_column_values_to_be_unique(job)`.
    """

    values: tuple[str, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    redefined: bool
    rules: tuple[str, ...]


def compare_declarations(before: Declaration, after: Declaration) -> Differences:
    """How the declaration `after` differs from `before`.

    Raises:
        ConfigError: A file of either is wrong.
    """
    sides = [(declared.pipeline, declared.settings) for declared in (before, after)]
    old, new = (feature_store.feature_names(*side) for side in sides)
    return Differences(
        values=tuple(_values(before.pipeline.model_dump(mode="json"), after.pipeline.model_dump(mode="json"))),
        added=tuple(name for name in new if name not in old),
        removed=tuple(name for name in old if name not in new),
        redefined=len({feature_store.fingerprint(*side) for side in sides}) > 1,
        rules=tuple(_rules(*(_rules_of(*side) for side in sides))),
    )


def _values(before: Any, after: Any, place: tuple[str, ...] = ()) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*before, *after)):
            yield from _values(before.get(key), after.get(key), (*place, str(key)))
    elif before != after and dict in (type(before), type(after)):
        yield f"{'.'.join(place)}: {'added' if before is None else 'removed'}"
    elif before != after:
        yield f"{'.'.join(place)}: {_shown(before)} -> {_shown(after)}"


def _shown(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."


def _rules_of(pipeline: Pipeline, settings: Settings) -> Counter[str]:
    declared = expectations.load_expectations(pipeline, settings)
    return Counter(
        f"{layer}.{table} {rule.name} {_shown_arguments(rule)} {rule.severity}".replace("  ", " ")
        for layer, tables in (("raw", declared.raw), ("features", declared.features))
        for table, rules in tables.items()
        for rule in rules
    )


def _shown_arguments(rule: expectations.Rule) -> str:
    hidden = expectations.COLUMN_KEYS
    return ", ".join(f"{name}={value}" for name, value in rule.kwargs.items() if name not in hidden)


def _rules(before: Counter[str], after: Counter[str]) -> Iterator[str]:
    yield from (f"+ {rule}" for rule in (after - before).elements())
    yield from (f"- {rule}" for rule in (before - after).elements())
