"""The four files of a pipeline as texts, made of what the table said."""

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from airloop.authoring.scaffold import sql
from airloop.authoring.scaffold.columns import entity_key
from airloop.authoring.scaffold.declaration import declaration, rows_from
from airloop.authoring.scaffold.draft import EVENTS, OUTCOMES, Draft
from airloop.authoring.scaffold.rules import feed_rules, static_rules, view_rules
from airloop.authoring.scaffold.wrapping import wrapped
from airloop.settings import Settings

_FILES = ("pipeline.yaml", "features.sql", "expectations.yaml")


def written_paths(name: str) -> tuple[str, ...]:
    """The four files of a pipeline, below the project."""
    folder = f"include/pipelines/{name}"
    return (*(f"{folder}/{file}" for file in _FILES), f"feature_repo/{name}.py")


def four_files(draft: Draft, settings: Settings) -> dict[str, str]:
    """Path below the project -> text.

    Raises:
        ConfigError: The draft's connection cannot be used.
    """
    fills = {"pipeline.yaml": declaration(draft) | rows_from(draft, settings)}
    fills |= {"features.sql": _sql(draft), "expectations.yaml": _expectations(draft)}
    texts = [_rendered(file, fills[file]) for file in _FILES]
    texts.append(_rendered("feature_repo.py", _definitions(draft)))
    return dict(zip(written_paths(draft.name), texts, strict=True))


def _rendered(template: str, values: dict[str, Any]) -> str:
    loader = PackageLoader("airloop.authoring.scaffold")
    # What is written is YAML, SQL and Python: there is no HTML to escape.
    environment = Environment(loader=loader, undefined=StrictUndefined, keep_trailing_newline=True)  # noqa: S701
    return environment.get_template(f"{template}.jinja").render(values)


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
        "selected": wrapped([entity, *selected], indent=7),
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
            EVENTS: list(feed_rules(draft.event_columns, roles.key, plan)),
            OUTCOMES: list(feed_rules(draft.outcome_columns, roles.key, plan, declared=_label_values(draft))),
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
