"""All that is known of a pipeline to be, before its files are written."""

from dataclasses import dataclass
from functools import cached_property

from airloop.authoring.scaffold.columns import Column
from airloop.authoring.scaffold.database import Database
from airloop.authoring.scaffold.joined import Joined
from airloop.authoring.scaffold.plan import Plan
from airloop.authoring.scaffold.roles import Roles
from airloop.authoring.scaffold.suspects import find_suspects
from airloop.data.value_rules import marked_number
from airloop.sources.land_dialect import Dialect
from airloop.sources.land_tables import Table

EVENTS, OUTCOMES = "events", "outcomes"
"""The two feeds of a table: its rows as they are known at their time, and their labels, known later."""

_RARE_ROWS = 50
"""Fewer rows of a class leave some thirty to learn from and a handful to judge on."""


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
        numbers = {name: marked_number(self.table.texts[name]) for name in texts}
        return {name: first for name, first in numbers.items() if first is not None}

    @property
    def event_columns(self) -> tuple[Column, ...]:
        """What is known of a row at its time: all columns but the label."""
        return tuple(column for column in self.columns if column.name != self.roles.label)

    @property
    def outcome_columns(self) -> tuple[Column, ...]:
        """What lands later: key, time and label, and the column that says when a row was written."""
        names = {*self.roles.key, self.roles.time, self.roles.label, self.database and self.database.written}
        return tuple(column for column in self.columns if column.name in names)
