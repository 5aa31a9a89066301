"""The example that a new pipeline's tests begin with: two rows of the table, and what features.sql makes of them."""

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from airloop.authoring.scaffold.columns import Column, entity_key, is_text
from airloop.authoring.scaffold.draft import EVENTS, OUTCOMES, Draft
from airloop.authoring.scaffold.joined import Joined
from airloop.authoring.scaffold.roles import Roles
from airloop.authoring.scaffold.rules import flow

ROWS = 2


def example_path(name: str) -> str:
    """Below the project."""
    return f"include/pipelines/{name}/tests/two_rows.yaml"


def example_test(draft: Draft) -> str:
    """A row test of two rows with a label, different ones where there are two."""
    roles = draft.roles
    rows = _chosen(draft)
    outcome = [*roles.key, roles.time, roles.label]
    events = [column for column in draft.columns if column.name != roles.label]
    features = [column for column in draft.columns if column.feature]
    lines = [
        f"# `airloop test {draft.name}` runs features.sql over the rows of `given` and compares with `expect`, by the",
        "# columns named there. Values are texts, as in a file that lands; null is a missing one. Add files and rows.",
        "given:",
        *_table(EVENTS, [{column.name: row[column.name] for column in events} for row in rows]),
        *_table(OUTCOMES, [{name: row[name] for name in dict.fromkeys(outcome)} for row in rows]),
        *(line for item in draft.joined for line in _table(item.name, list(_beside(item, rows)))),
        "expect:",
        *_table(f"{draft.name}_rows", [_named(roles, row, features) | _features_of(draft, row) for row in rows]),
        *_table("labels", [_key(roles, row) | {"label": _label(roles, row)} for row in rows]),
    ]
    return "\n".join(lines) + "\n"


def _chosen(draft: Draft) -> list[dict[str, Any]]:
    """The first row of each label, two in all, else the first rows; every value a text."""
    labelled = draft.table.texts.drop_nulls(draft.roles.label)
    different = labelled.unique(draft.roles.label, keep="first", maintain_order=True)
    return (different if different.height >= ROWS else labelled).head(ROWS).to_dicts()


def _table(name: str, rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield f"  {name}:"
    for row in rows:
        yield f"    - {flow(row)}"


def _beside(item: Joined, rows: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The rows of a table beside the first that these rows find."""
    for key in dict.fromkeys(row[item.join] for row in rows):
        for joined in item.table.texts.filter(pl.col(item.join) == key).to_dicts():
            yield {column.name: joined[column.name] for column in item.columns}


def _features_of(draft: Draft, row: dict[str, Any]) -> dict[str, Any]:
    """The features that a row gets from the tables beside it."""
    values: dict[str, Any] = {}
    for item in draft.joined:
        joined = next(_beside(item, [row]), {})
        values |= {str(c.feature): _value(c, joined.get(c.name)) for c in item.columns if c.feature}
    return values


def _value(column: Column, text: Any) -> Any:
    """A feature as the view makes it: true and false are numbers there."""
    flags = {"true": "1", "false": "0"}
    return flags.get(str(text).lower(), text) if column.kind == "boolean" else text


def _key(roles: Roles, row: dict[str, Any]) -> dict[str, Any]:
    """The entity key where it is one column as it stands; one that SQL makes of several is left out."""
    return {entity_key(roles): row[roles.key[0]]} if is_text(roles) else {}


def _named(roles: Roles, row: dict[str, Any], features: Sequence[Column]) -> dict[str, Any]:
    return _key(roles, row) | {str(column.feature): _value(column, row[column.name]) for column in features}


def _label(roles: Roles, row: dict[str, Any]) -> Any:
    """The label as section `labels` makes it: the value, or the place of its class."""
    if roles.task == "regression" or set(roles.classes) == {0, 1}:
        return row[roles.label]
    places = {str(value).lower(): str(place) for place, value in enumerate(roles.classes)}
    return places[str(row[roles.label]).lower()]
