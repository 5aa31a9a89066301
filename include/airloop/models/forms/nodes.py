"""Trees as their maker holds them, brought into one shape."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Nodes:
    """Nodes of one tree; a leaf's children are itself."""

    feature: npt.NDArray[np.intp]
    threshold: Floats
    left: npt.NDArray[np.intp]
    right: npt.NDArray[np.intp]
    missing_left: npt.NDArray[np.bool_]
    values: Floats
    depth: int


@dataclass(frozen=True)
class Grown:
    """What an estimator has grown: its predictions are link(sum of the leaves + baseline).

    Attributes:
        rounded: Whether values are rounded to float32 before they are compared.
        baseline: One a output.
        link: A key of LINKS.
    """

    trees: Sequence[Nodes]
    rounded: bool
    baseline: Floats
    link: str


def looped(
    leaf: npt.NDArray[np.bool_],
    *,
    feature: Any,
    threshold: Any,
    children: tuple[Any, Any],
    missing_left: Any,
    values: Floats,
    depth: int,
) -> Nodes:
    """Nodes whose leaves lead to themselves, whatever their maker writes there."""
    here = np.arange(len(leaf))
    left, right = (np.where(leaf, here, side.astype(np.intp)) for side in children)
    return Nodes(
        feature=np.where(leaf, 0, feature).astype(np.intp),
        threshold=np.where(leaf, np.inf, threshold).astype(np.float64),
        left=left,
        right=right,
        missing_left=np.asarray(missing_left).astype(bool),
        values=values,
        depth=depth,
    )
