"""The column to predict, and the task that its values make."""

from collections.abc import Sequence

import polars as pl

from airloop.authoring.scaffold.label_spellings import YES
from airloop.authoring.scaffold.named_roles import NamedRoles
from airloop.config import TaskKind
from airloop.errors import ConfigError
from airloop.sources.land_tables import Table

MOST_CLASSES = 30

_MOST_WHOLE_NUMBERS = 10  # more different whole numbers are an amount


def task_of(label: pl.Series) -> TaskKind | None:
    """The task a column makes as label: of two values binary, of few multiclass, of numbers regression, or none."""
    different = label.drop_nulls().n_unique()
    number = label.dtype.is_numeric()
    if different < 2 or label.dtype == pl.Datetime:
        return None
    if different == 2:
        return "binary" if label.dtype != pl.Float64 or set(label.drop_nulls().unique()) == {0.0, 1.0} else "regression"
    if label.dtype == pl.String:
        return "multiclass" if different <= MOST_CLASSES else None
    if label.dtype == pl.Int64 and different <= _MOST_WHOLE_NUMBERS:
        return "multiclass"
    return "regression" if number else None


def label_column(
    table: Table, values: pl.DataFrame, named: NamedRoles, *, other_roles: Sequence[str]
) -> tuple[str, TaskKind]:
    """The column asked for, or the last one that fits as label, and its task.

    Raises:
        ConfigError: No column fits, or the one asked for does not.
    """
    if named.label is None:
        for name in reversed([name for name in values.columns if name not in other_roles]):
            task = _task_if_fits(values[name], named.task)
            if task:
                return name, task
        needed = f" for --task {named.task}" if named.task else ""
        raise ConfigError(f"{table.path}: no column fits as label{needed}: name it by --label COLUMN")
    if named.label in other_roles:
        raise ConfigError(f"--label {named.label}: the column is the key or the time; another has to be predicted")
    task = _task_if_fits(values[named.label], named.task) if named.label in values.columns else None
    if task is None:
        different = table.texts[named.label].drop_nulls().n_unique()
        if different < 2:
            raise ConfigError(
                f"--label {named.label}: {different} value in {len(values):,} rows: there is nothing to tell apart; "
                "bring rows with another outcome, or name another column"
            )
        needed = f"{named.task} label" if named.task else "label"
        raise ConfigError(
            f"--label {named.label}: {different} different values ({table.kinds[named.label]}) make no {needed}: two "
            f"values are a binary one, up to {MOST_CLASSES} texts or whole numbers a multiclass, numbers a regression"
        )
    return named.label, task


def _task_if_fits(label: pl.Series, declared: TaskKind | None) -> TaskKind | None:
    natural = task_of(label)
    if declared is None or declared == natural:
        return natural
    different = label.drop_nulls().n_unique()
    named = label.dtype in (pl.String, pl.Int64, pl.Boolean)
    fits = {
        "binary": False,
        "multiclass": named and 2 <= different <= MOST_CLASSES,
        "regression": label.dtype.is_numeric() and different > 1,
    }
    return declared if fits[declared] else None


def classes_of(label: pl.Series, task: TaskKind) -> tuple[str | int | float | bool, ...]:
    """The label's different values, sorted; of two the one that stands for 1 is the last. Empty for a regression."""
    if task == "regression":
        return ()
    counted = label.drop_nulls().value_counts(sort=True)
    values = sorted(counted[label.name].to_list())
    if task == "multiclass" or values == [0, 1]:
        return tuple(values)
    yes = [value for value in values if str(value).lower() in YES] or [counted[label.name].to_list()[-1]]
    return (*(value for value in values if value != yes[0]), yes[0])
