"""The four files of a pipeline as texts, made of what the table said."""

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from airloop.authoring.scaffold import sql
from airloop.authoring.scaffold.columns import Column, entity_key
from airloop.authoring.scaffold.database import Database
from airloop.authoring.scaffold.joined import Joined
from airloop.authoring.scaffold.plan import LABEL_DELAY, METRIC, Plan
from airloop.authoring.scaffold.roles import Roles
from airloop.authoring.scaffold.rules import feed_rules, flow, static_rules, view_rules
from airloop.authoring.scaffold.suspects import find_suspects
from airloop.data.value_rules import marked_number
from airloop.settings import Settings
from airloop.sources.land_dialect import Dialect
from airloop.sources.land_tables import Table

_FILES = ("pipeline.yaml", "features.sql", "expectations.yaml")
EVENTS, OUTCOMES = "events", "outcomes"
"""The two feeds of a table: its rows as they are known at their time, and their labels, known later."""

_WIDTH = 118
_BY_DAY = 'files: "{day}.csv",'
_RARE_ROWS = 50
"""Fewer rows of a class leave some thirty to learn from and a handful to judge on."""
_SAYS_NOTHING_BETTER = {
    "binary": "always saying the share of 1",
    "regression": "always saying the median",
    "multiclass": "always saying the shares of the classes",
}


@dataclass(frozen=True)
class Draft:
    """All that is known of a pipeline to be."""

    name: str
    table: Table
    dialect: Dialect
    roles: Roles
    columns: tuple[Column, ...]
    left_out: dict[str, str]
    plan: Plan
    joined: tuple[Joined, ...] = ()
    database: Database | None = None

    @cached_property
    def suspects(self) -> dict[str, str]:
        """Column -> how closely it follows the label."""
        return find_suspects(self.table.values(), self.roles, self.columns)

    @cached_property
    def rare_classes(self) -> dict[str, int]:
        """Class of the label -> its rows, of classes too rare to learn from or to judge on."""
        if self.roles.task == "regression":
            return {}
        counted = self.table.values()[self.roles.label].drop_nulls().value_counts()
        rows = dict(counted.rows())
        return {str(value): rows[value] for value in self.roles.classes if rows[value] < _RARE_ROWS}

    @cached_property
    def marked(self) -> dict[str, str]:
        """Column of texts that are numbers but for a mark -> the first of them."""
        texts = [
            column.name for column in self.columns if column.kind == "string" and column.name not in self.roles.key
        ]
        found = {name: marked_number(self.table.texts[name]) for name in texts}
        return {name: first for name, first in found.items() if first is not None}


def written_paths(name: str) -> tuple[str, ...]:
    """The four files of a pipeline, below the project."""
    folder = f"include/pipelines/{name}"
    return (*(f"{folder}/{file}" for file in _FILES), f"feature_repo/{name}.py")


def four_files(draft: Draft, settings: Settings) -> dict[str, str]:
    """Path below the project -> text.

    Raises:
        ConfigError: The draft's connection cannot be used.
    """
    fills = {"pipeline.yaml": _declaration(draft) | _rows_from(draft, settings)}
    fills |= {"features.sql": _sql(draft), "expectations.yaml": _expectations(draft)}
    texts = [_rendered(file, fills[file]) for file in _FILES]
    texts.append(_rendered("feature_repo.py", _definitions(draft)))
    return dict(zip(written_paths(draft.name), texts, strict=True))


def _rendered(template: str, values: dict[str, Any]) -> str:
    loader = PackageLoader("airloop.authoring.scaffold")
    # What is written is YAML, SQL and Python: there is no HTML to escape.
    environment = Environment(loader=loader, undefined=StrictUndefined, keep_trailing_newline=True)  # noqa: S701
    return environment.get_template(f"{template}.jinja").render(values)


def _declaration(draft: Draft) -> dict[str, Any]:
    roles, plan = draft.roles, draft.plan
    minutes = int(LABEL_DELAY.total_seconds() / 60)
    return {
        "name": draft.name,
        "description": flow(f"{roles.label} of a row of {draft.table.path.name}, predicted at its {roles.time}."),
        "plan": plan,
        "calendar_says": _calendar_says(plan),
        "timezone": draft.dialect.timezone,
        "key": flow(roles.key),
        "key_says": _key_says(roles),
        "time": roles.time,
        "time_in_yaml": flow(roles.time),
        "events": EVENTS,
        "event_columns": _wrapped_columns(_events(draft)),
        "outcomes": OUTCOMES,
        "outcome_columns": _wrapped_columns(_outcomes(draft)),
        "minutes": minutes,
        "label": roles.label,
        "left_out": draft.left_out,
        "rare_classes": len(draft.rare_classes),
        "joined": [
            {
                "name": item.name,
                "key": flow([item.join]),
                "columns": _wrapped_columns(item.columns),
                "file": f"{item.name}.csv",
            }
            for item in draft.joined
        ],
        "entity_key": flow(entity_key(roles)),
        "delay_hours": minutes // 60,
        "task": roles.task,
        "task_says": _task_says(draft),
        "classes": flow([str(value) for value in roles.classes]) if roles.task == "multiclass" else "",
        "metric": METRIC[roles.task],
        "min_train_rows": plan.min_train_rows,
        "floor": flow(float(f"{plan.floor:.3g}")),
        "floor_says": f"{_SAYS_NOTHING_BETTER[roles.task]} scores this on the newest {plan.holdout_days} days",
        "policy_rows": max(30, plan.rows_a_period // 2),
    }


def _rows_from(draft: Draft, settings: Settings) -> dict[str, str]:
    """What the two feeds say of where their rows come from: files by day, or a database."""
    database, roles = draft.database, draft.roles
    if database is None:
        return {"made_by": f"--from {draft.table.path.name}", "events_from": _BY_DAY, "outcomes_from": _BY_DAY}
    written = database.written or roles.time
    events = database.source(_events(draft), watermark=roles.time, where="", settings=settings)
    outcomes = database.source(_outcomes(draft), watermark=written, where=roles.label, settings=settings)
    says = (
        f"a label that comes later is found by {written}, when its row was last written"
        if database.written
        else f"rows are fetched once, by {roles.time}: a label that is written later needs a column that says when"
    )
    return {
        "made_by": f"--connection {database.connection} --query ...",
        "events_from": f"source: {events},\n    ",
        "outcomes_from": f"source:   # decide: {says}\n       {outcomes},\n    ",
    }


def _sql(draft: Draft) -> dict[str, Any]:
    roles, plain = draft.roles, {column.name: column for column in draft.columns}
    whole_seconds = all(not draft.table.texts[name].str.contains(r"\.\d").any() for name in roles.key)
    entity = sql.entity(roles, plain, whole_seconds=whole_seconds)
    selected = [sql.named(column.name, column.feature) for column in draft.columns if column.feature]
    selected += [name for item in draft.joined for name in (column.feature for column in item.columns) if name]
    label, label_says = sql.label(roles)
    return {
        "joins": [sql.join(item.name, item.join, item.columns) for item in draft.joined],
        "name": draft.name,
        "time": roles.time,
        "time_in_sql": sql.name(roles.time),
        "suspects": draft.suspects,
        "unused": {column.name: column.why_not for column in draft.columns if column.why_not},
        "selected": _wrapped([entity, *selected], indent=7),
        "events": EVENTS,
        "outcomes": OUTCOMES,
        "entity": entity,
        "label": label,
        "label_says": label_says,
        "label_column": sql.name(roles.label),
    }


def _expectations(draft: Draft) -> dict[str, Any]:
    roles, plan = draft.roles, draft.plan
    return {
        "raw": {
            EVENTS: list(feed_rules(_events(draft), roles.key, plan)),
            OUTCOMES: list(feed_rules(_outcomes(draft), roles.key, plan, declared=_label_values(draft))),
            **{item.name: list(static_rules(item.columns, item.join)) for item in draft.joined},
        },
        "rows_a_day": f"{plan.rows_a_day:,.3g}",
        "view": f"{draft.name}_rows",
        "view_rules": list(view_rules(entity_key(roles))),
    }


def _label_values(draft: Draft) -> dict[str, tuple[Any, ...]]:
    """The label's only values; empty for an amount, and for true and false, which have no other spelling."""
    classes = draft.roles.classes
    return {} if not classes or isinstance(classes[0], bool) else {draft.roles.label: classes}


def _definitions(draft: Draft) -> dict[str, Any]:
    types = {"string": "String"}
    columns = [*draft.columns, *(column for item in draft.joined for column in item.columns)]
    features = {column.feature: types.get(column.kind, "Float64") for column in columns if column.feature}
    return {
        "name": draft.name,
        "entity_key": entity_key(draft.roles),
        "features": features,
        "types": ", ".join(sorted({*features.values(), "String"})),
    }


def _events(draft: Draft) -> tuple[Column, ...]:
    return tuple(column for column in draft.columns if column.name != draft.roles.label)


def _outcomes(draft: Draft) -> tuple[Column, ...]:
    kept = {*draft.roles.key, draft.roles.time, draft.roles.label, draft.database and draft.database.written}
    return tuple(column for column in draft.columns if column.name in kept)


def _wrapped_columns(columns: Iterable[Column]) -> str:
    return _wrapped([f"{flow(column.name)}: {column.kind}" for column in columns], indent=15)


def _wrapped(items: Sequence[str], *, indent: int) -> str:
    lines = textwrap.wrap(
        ", ".join(item.replace(" ", "\0") for item in items),
        _WIDTH - indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return f"\n{' ' * indent}".join(lines).replace("\0", " ")


def _key_says(roles: Roles) -> str:
    together = " together are" if len(roles.key) > 1 else " is"
    unique = f"{', '.join(roles.key)}{together} unique in the table, and assumed to stay so"
    other = f"; the time could also be {', '.join(roles.other_times)}" if roles.other_times else ""
    return unique + other


def _task_says(draft: Draft) -> str:
    different = draft.table.texts[draft.roles.label].drop_nulls().n_unique()
    return f"the label is {draft.roles.label}, with {different:,} different values"


def _calendar_says(plan: Plan) -> str:
    return f"one run takes a period of {plan.rows_a_period:,} rows"
