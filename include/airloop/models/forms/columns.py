"""The columns a model takes, by what they hold: numbers, texts, flags."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

from airloop.features.online_views import ServedFeature

Rows = Sequence[Mapping[str, Any]]
"""Rows by the model's columns: None, float, str or bool; NaN does not occur."""


class Placed(Sequence[Mapping[str, Any]]):
    """Rows whose values lie in one order, without their names: whoever knows the order need not look each up.

    Attributes:
        names: In the order of the values.
        values: One tuple a row.
    """

    def __init__(self, names: tuple[str, ...], values: Sequence[tuple[Any, ...]]) -> None:
        """Values in the order of the names."""
        self.names, self.values = names, values

    def __len__(self) -> int:
        """How many rows."""
        return len(self.values)

    @overload
    def __getitem__(self, at: int) -> dict[str, Any]: ...

    @overload
    def __getitem__(self, at: slice) -> "Placed": ...

    def __getitem__(self, at: int | slice) -> "dict[str, Any] | Placed":
        """A row by its names, or some of the rows."""
        if isinstance(at, slice):
            return Placed(self.names, self.values[at])
        return dict(zip(self.names, self.values[at], strict=True))

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Row by row, by their names."""
        return (dict(zip(self.names, row, strict=True)) for row in self.values)


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
