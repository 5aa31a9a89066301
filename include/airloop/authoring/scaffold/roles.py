"""Which columns of a table are key, time and label, and what task the label makes: as given, or by the values."""

from dataclasses import dataclass

import polars as pl

from airloop.authoring.scaffold import label_spellings
from airloop.authoring.scaffold.label_column import classes_of, label_column
from airloop.authoring.scaffold.named_roles import NamedRoles
from airloop.authoring.scaffold.row_key import given_key, unique_key
from airloop.authoring.scaffold.time_column import time_column
from airloop.config import TaskKind
from airloop.config.feed import RESERVED_COLUMNS
from airloop.errors import ConfigError
from airloop.sources.land_tables import Table


@dataclass(frozen=True)
class Roles:
    """The columns with a role of their own.

    Attributes:
        other_times: Further timestamp columns that could have been the time.
        classes: The label's different values; for a binary task the value that stands for 1 is the last.
    """

    key: tuple[str, ...]
    time: str
    other_times: tuple[str, ...]
    label: str
    task: TaskKind
    classes: tuple[str | int | float | bool, ...]


def find_roles(table: Table, named: NamedRoles) -> Roles:
    """Time first, because a key may need it, the label last.

    Raises:
        ConfigError: A given column does not exist or cannot have its role, or a role has no column; says what to do.
        DataContractError: Rows share the given key, a time or key is missing in some, or one class of the label is
            written in several ways.
    """
    for role, names in (("--key", named.key), ("--time", (named.time,)), ("--label", (named.label,))):
        for name in filter(None, names):
            table.require(name, role)
            if name in RESERVED_COLUMNS:
                raise ConfigError(f"{role} {name}: the column name is airloop's own; rename it in {table.path}")
    values = table.values().select(pl.exclude(RESERVED_COLUMNS))
    time, other_times = time_column(table, values, named)
    key = given_key(table, values, named.key) if named.key else unique_key(table, values, time, named.label)
    label, task = label_column(table, values, named, other_roles=(*key, time))
    if named.task != "multiclass":
        label_spellings.refuse(table.path, values[label])
    return Roles(key, time, other_times, label, task, classes_of(values[label], task))
