"""What the table says for pipeline.yaml."""

from collections.abc import Iterable
from typing import Any

from airloop.authoring.scaffold.columns import Column, entity_key
from airloop.authoring.scaffold.draft import EVENTS, OUTCOMES, Draft
from airloop.authoring.scaffold.joined import Joined
from airloop.authoring.scaffold.plan import LABEL_DELAY, METRIC, Plan
from airloop.authoring.scaffold.roles import Roles
from airloop.authoring.scaffold.rules import flow
from airloop.authoring.scaffold.wrapping import wrapped
from airloop.settings import Settings

_BY_DAY = 'files: "{day}.csv",'

_SAYS_NOTHING_BETTER = {
    "binary": "always saying the share of 1",
    "regression": "always saying the median",
    "multiclass": "always saying the shares of the classes",
}


def declaration(draft: Draft) -> dict[str, Any]:
    """What fills the template of pipeline.yaml, but for where the rows come from."""
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
        "event_columns": _wrapped_columns(draft.event_columns),
        "outcomes": OUTCOMES,
        "outcome_columns": _wrapped_columns(draft.outcome_columns),
        "minutes": minutes,
        "texts": ", ".join(flow(name) for name in _texts(draft)),
        "label": roles.label,
        "left_out": draft.left_out,
        "rare_classes": len(draft.rare_classes),
        "joined": [_static(item) for item in draft.joined],
        "entity_key": flow(entity_key(roles)),
        "delay_hours": minutes // 60,
        "task": roles.task,
        "task_says": _task_says(draft),
        "classes": flow([str(value) for value in roles.classes]) if roles.task == "multiclass" else "",
        "metric": METRIC[roles.task],
        "min_train_rows": plan.min_train_rows,
        "floor": flow(float(f"{plan.floor:.3g}")),
        "floor_says": f"{_SAYS_NOTHING_BETTER[roles.task]} scores this on the newest {plan.holdout_days} days",
        "policy_rows": plan.min_policy_rows,
    }


def _static(item: Joined) -> dict[str, str]:
    """A table beside the rows, as a feed without a time."""
    columns = _wrapped_columns(item.columns)
    return {"name": item.name, "key": flow([item.join]), "columns": columns, "file": f"{item.name}.csv"}


def rows_from(draft: Draft, settings: Settings) -> dict[str, str]:
    """What the two feeds say of where their rows come from: files by day, or a database."""
    database, roles = draft.database, draft.roles
    if database is None:
        return {"made_by": f"--from {draft.table.path.name}", "events_from": _BY_DAY, "outcomes_from": _BY_DAY}
    written = database.written or roles.time
    events = database.source(draft.event_columns, watermark=roles.time, where="", settings=settings)
    outcomes = database.source(draft.outcome_columns, watermark=written, where=roles.label, settings=settings)
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


def _wrapped_columns(columns: Iterable[Column]) -> str:
    return wrapped([f"{flow(column.name)}: {column.kind}" for column in columns], indent=15)


def _texts(draft: Draft) -> list[str]:
    columns = [*draft.columns, *(column for item in draft.joined for column in item.columns)]
    return [column.feature for column in columns if column.feature and column.free_text]


def _key_says(roles: Roles) -> str:
    together = " together are" if len(roles.key) > 1 else " is"
    unique = f"{', '.join(roles.key)}{together} unique in the table, and assumed to stay so"
    other = f"; the time could also be {', '.join(roles.other_times)}" if roles.other_times else ""
    return unique + other


def _task_says(draft: Draft) -> str:
    different = draft.table.texts[draft.roles.label].drop_nulls().n_unique()
    return f"the label is {draft.roles.label}, with {different:,} different values"


def _calendar_says(plan: Plan) -> str:
    if not plan.rows_a_period:
        return "most periods have no row; there is no longer calendar"
    return f"one run takes a period of {plan.rows_a_period:,} row{'s' if plan.rows_a_period > 1 else ''}"
