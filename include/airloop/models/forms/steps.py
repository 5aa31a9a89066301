"""Trees walked by all rows together, a level at a time; the two nodes below a node lie side by side.

So a step is one look-up and one sum: the node below on the right, and 1 more for whoever goes left.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Steps:
    """Nodes level by level, all trees together.

    Attributes:
        trees: How many; their roots come first.
        right: Of each node the one below on the right, whose neighbour is the one on the left; a leaf's is itself.
        column: Which value it asks about: each of a row is there twice, a missing one as -infinity and as NaN.
        threshold: Whoever is not above it goes left; a leaf's is NaN, so that nobody does.
        values: What a node adds to each output.
    """

    trees: int
    right: Places
    column: Places
    threshold: Floats
    values: Floats

    def added(self, matrix: Floats, *, levels: int) -> Floats:
        """What each tree adds (n, trees, outputs); a missing value is NaN.

        Args:
            levels: How many steps the deepest tree takes.
        """
        count, width = matrix.shape
        values = np.stack([np.where(np.isnan(matrix), -np.inf, matrix), matrix], axis=2).ravel()
        rows = (np.arange(count, dtype=np.intp) * (2 * width))[:, None]
        at = np.repeat(np.arange(self.trees, dtype=np.intp)[None, :], count, axis=0)
        place, value, threshold = np.empty_like(at), np.empty(at.shape), np.empty(at.shape)
        for _ in range(levels):
            # `clip` looks up without a check first whether each place exists.
            np.add(self.column.take(at, out=place, mode="clip"), rows, out=place)
            left = values.take(place, out=value, mode="clip") <= self.threshold.take(at, out=threshold, mode="clip")
            np.add(self.right.take(at, out=place, mode="clip"), left, out=at)
        return self.values[at]


def steps_of(
    roots: Places,
    feature: Places,
    threshold: Floats,
    children: Places,
    missing_left: npt.NDArray[np.bool_],
    *,
    values: Floats,
) -> Steps:
    """The trees as airloop.models.forms.trees holds them."""
    is_leaf = children[::2] == np.arange(len(feature))
    order, right = [roots], list[Places]()
    while len(order[-1]):
        nodes, placed = order[-1], sum(map(len, order))
        inner = ~is_leaf[nodes]
        below = placed + 2 * (np.cumsum(inner) - 1)
        right.append(np.where(inner, below, placed - len(nodes) + np.arange(len(nodes))))
        parents = nodes[inner]
        order.append(np.stack([children[2 * parents + 1], children[2 * parents]], axis=1).ravel())
    nodes = np.concatenate(order)
    return Steps(
        trees=len(roots),
        right=np.concatenate(right).astype(np.intp),
        column=(2 * feature + ~missing_left)[nodes].astype(np.intp),
        threshold=np.where(is_leaf, np.nan, threshold)[nodes],
        values=values[nodes],
    )
