"""What a table was taken for, in lines that a person reads once and goes on or says otherwise."""

from collections.abc import Iterator

from airloop.authoring.scaffold.draft import Draft
from airloop.authoring.scaffold.roles import Roles

_SHOWN = 12


def lines(draft: Draft) -> Iterator[str]:
    """Rows, key, time, label and features; then what was left out and why, and what deserves a look."""
    roles, plan = draft.roles, draft.plan
    features = sum(column.feature is not None for column in draft.columns)
    yield f"read {plan.rows:,} rows of {draft.table.path}:"
    yield f"  key {', '.join(roles.key)}, time {roles.time}, label {roles.label} ({_task(roles)}), {features} features"
    yield "  (what no option said was inferred: --key, --time, --label and --task say it)"
    yield f"  {plan.start:%Y-%m-%d} to {plan.end:%Y-%m-%d}, {plan.calendar}, {plan.rows_a_day:.3g} rows a day"
    if plan.empty_periods:
        yield f"  look: {plan.empty_periods:,} {plan.calendar} windows in between have no row: taken as normal"
    for item in draft.joined:
        joined = sum(column.feature is not None for column in item.columns)
        yield f"  {item.name}: {item.table.texts.height:,} rows of {item.table.path} by {item.join}, {joined} features"
        if item.without:
            yield f"  look: {item.without:,} of {plan.rows:,} rows have no {item.join} in {item.name}"
    yield from (f"  {says}" for says in draft.table.skipped)
    yield from _left_out(draft)
    yield from _looks(draft)


def _task(roles: Roles) -> str:
    """The task, and of two words which one the model predicts the probability of."""
    if roles.task != "binary" or all(isinstance(value, (int, float)) for value in roles.classes):
        return roles.task
    return f"{roles.task}: 1 stands for {roles.classes[-1]!r}, 0 for {roles.classes[0]!r}"


def _left_out(draft: Draft) -> Iterator[str]:
    says = [f"  column {column} left out: {why}" for column, why in draft.left_out.items()]
    columns = [*draft.columns, *(column for item in draft.joined for column in item.columns)]
    says += [f"  column {column.name} is not a feature: {column.why_not}" for column in columns if column.why_not]
    yield from says[:_SHOWN]
    if len(says) > _SHOWN:
        yield f"  ... and {len(says) - _SHOWN} more columns, each with its reason in features.sql"


def _looks(draft: Draft) -> Iterator[str]:
    if draft.roles.other_times:
        others = ", ".join(draft.roles.other_times)
        yield f"  look: the time could also be {others}: --time says which instant a row is about"
    for column, first in draft.marked.items():
        yield (
            f"  look: column {column} is taken as text: {first!r} is not a plain number; have it written without "
            "its mark"
        )
    for column, says in list(draft.suspects.items())[:_SHOWN]:
        yield f"  look: column {column} {says}; a feature has to be known at {draft.roles.time}"
    if len(draft.suspects) > _SHOWN:
        yield f"  look: ... and {len(draft.suspects) - _SHOWN} more columns like these, each named in features.sql"
    for value, rows in draft.rare_classes.items():
        yield (
            f"  look: only {rows:,} rows are {draft.roles.label} = {value}: too few to learn from and to judge on; "
            "bring more, merge the class with another, or leave its rows out"
        )
