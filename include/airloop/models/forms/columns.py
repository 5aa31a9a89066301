"""The columns a model takes, by what they hold: numbers, texts, flags."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airloop.features.online_views import ServedFeature

Rows = Sequence[Mapping[str, Any]]
"""Rows by the model's columns: None, float, str or bool; NaN does not occur."""


@dataclass(frozen=True)
class Columns:
    """The columns of a model, in its order; those that are neither texts nor flags are numbers."""

    names: tuple[str, ...]
    texts: frozenset[str]
    flags: frozenset[str]

    def table(self, rows: Rows) -> Any:
        """An Arrow table as retrieval hands it to a model: numbers float64, texts and flags as they are."""
        import pyarrow as pa  # a service that answers by a fast form does without

        kinds = {**dict.fromkeys(self.texts, pa.string()), **dict.fromkeys(self.flags, pa.bool_())}
        return pa.table(
            {name: pa.array([row[name] for row in rows], kinds.get(name, pa.float64())) for name in self.names}
        )


def model_columns(features: Sequence[ServedFeature], names: Sequence[str]) -> Columns:
    """The columns of a model by the features they are of; an array's elements are numbers."""
    texts, flags = (frozenset(item.name for item in features if item.kind == kind) for kind in ("text", "flag"))
    return Columns(tuple(names), texts, flags)
