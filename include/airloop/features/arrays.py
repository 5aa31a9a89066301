"""Array features: one field in Feast and one list column in the lake, a float64 column per element in every frame.

A field is one when its dtype is `Array(Float64)` or `Array(Float32)`; its tag `length` says how many elements each
value has, so that the columns of a frame are known without data.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from airloop.errors import ConfigError, DataContractError
from airloop.feast_stores import feast_boot

feast_boot.neutralise_typeguard()

from feast import Field  # noqa: E402 (after the boot)
from feast.types import Array, Float32, Float64  # noqa: E402

LENGTH = "length"
_NUMBERS = pa.list_(pa.float64())


@dataclass(frozen=True)
class ArrayFeature:
    """A feature whose values are arrays of one length."""

    view: str
    name: str
    length: int

    @property
    def columns(self) -> tuple[str, ...]:
        """The elements' names, numbered from 0 with as many digits as the last one needs: signal_00 ... signal_63."""
        width = len(str(self.length - 1))
        return tuple(f"{self.name}_{position:0{width}}" for position in range(self.length))


def array_feature(view: str, field: Field) -> ArrayFeature | None:
    """What a field of a view declares as an array; None when it declares none.

    Raises:
        ConfigError: Elements that are not Float64 or Float32, or no tag `length` that is a whole number above 0.
    """
    if not isinstance(field.dtype, Array):
        return None
    if field.dtype.base_type not in (Float64, Float32):
        raise ConfigError(f"feature {view}.{field.name}: is {field.dtype}; an array holds Float64 or Float32")
    declared = str(field.tags.get(LENGTH, ""))
    if not (declared.isascii() and declared.isdigit() and int(declared) > 0):
        raise ConfigError(
            f"feature {view}.{field.name}: an array needs the number of its elements as a tag, like "
            f'tags={{"{LENGTH}": "64"}} (its tags: {dict(field.tags)})'
        )
    return ArrayFeature(view, field.name, int(declared))


def refuse_other_arrays(rows: pa.Table, arrays: Iterable[ArrayFeature], *, key: Sequence[str]) -> None:
    """Refuse rows whose arrays are not what is declared; a null counts as an array without known elements.

    Args:
        rows: Has the columns of `arrays`.
        key: Columns that tell a person which row it is.

    Raises:
        ConfigError: A column is not a list of float64.
        DataContractError: An array has another length; names view, feature, key and both lengths.
    """
    for array in arrays:
        column = rows[array.name]
        if column.type != _NUMBERS:
            raise ConfigError(
                f"feature {array.view}.{array.name}: declared as an array, but its column is {column.type}; "
                "make it a list of numbers, and build the earlier windows again"
            )
        lengths = pc.list_value_length(column)
        at = pc.index(pc.fill_null(pc.not_equal(lengths, array.length), False), True).as_py()
        if at >= 0:
            row = ", ".join(f"{name} {rows[name][at].as_py()}" for name in key)
            raise DataContractError(
                f"feature {array.view}.{array.name} of {row}: has {lengths[at].as_py()} elements, "
                f"declared are {array.length}"
            )


def flatten(rows: pa.Table, arrays: Iterable[ArrayFeature], *, key: Sequence[str]) -> pa.Table:
    """Put an array's element columns in its place: float64, NaN where the element, or the whole array, is null.

    Raises:
        ConfigError: A column is not a list of float64.
        DataContractError: An array has another length than declared.
    """
    by_name = {array.name: array for array in arrays}
    refuse_other_arrays(rows, by_name.values(), key=key)
    columns: dict[str, Any] = {}
    for name in rows.schema.names:
        if name in by_name:
            elements = _elements(rows[name], by_name[name].length)
            columns |= {flat: elements[:, at] for at, flat in enumerate(by_name[name].columns)}
        else:
            columns[name] = rows[name]
    return pa.table(columns)


def _elements(column: pa.ChunkedArray, length: int) -> np.ndarray:
    elements = np.full((len(column), length), np.nan, order="F")
    known = pc.is_valid(column).to_numpy()
    elements[known] = pc.list_flatten(column).to_numpy().reshape(-1, length)
    return elements
