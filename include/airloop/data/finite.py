"""Values that are not numbers: infinities, and NaN, which is not a null. No model learns anything right from them."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc


def not_finite(rows: pa.Table) -> Iterator[tuple[str, npt.NDArray[np.int64], str]]:
    """The columns with a value that is not finite: name, positions of the rows ascending, and the first such value.

    Of an array its elements count, of which NaN may stand for a missing one.
    """
    for field in rows.schema:
        column = rows[field.name].combine_chunks()
        if pa.types.is_floating(field.type):
            strange = pc.and_kleene(pc.is_valid(column), pc.invert(pc.is_finite(column)))
            positions = np.flatnonzero(pc.fill_null(strange, fill_value=False).to_numpy(zero_copy_only=False))
            if positions.size:
                yield field.name, positions, str(column[int(positions[0])].as_py())
        elif pa.types.is_list(field.type) and pa.types.is_floating(field.type.value_type):
            infinite = pc.fill_null(pc.is_inf(pc.list_flatten(column)), fill_value=False)
            parents = pc.list_parent_indices(column).to_numpy()
            positions = np.unique(parents[infinite.to_numpy(zero_copy_only=False)])
            if positions.size:
                yield field.name, positions, "inf in the array"
