"""Trees of at most 64 leaves, asked without walking: each feature's value rules leaves out, and one remains a tree.

QuickScorer (Lucchese et al., SIGIR 2015): a node whose condition fails rules out the leaves below its left child. For a
feature, the conditions that fail are those of the thresholds below the value, so what they rule out together is looked
up by the value's place among the thresholds. The exit of a tree is its leftmost leaf that no feature ruled out.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Masks = npt.NDArray[np.uint64]
MOST_LEAVES = 64
_MOST_BYTES = 64 << 20
_ROWS_AT_ONCE = 512
_ALL = np.uint64(2**64 - 1)


@dataclass(frozen=True)
class LeafMasks:
    """The look-up tables of all trees.

    Attributes:
        used: The features that any tree asks about; the lists below go by them.
        thresholds: Of each, ascending and distinct.
        lists: The same numbers as lists.
        starts: Of each, where its lines begin in `kept`: one more than thresholds, then the one of a missing value.
        kept: Line -> tree -> the leaves that are not ruled out, a bit each.
        values: Tree -> leaf -> what it adds to each output.
    """

    used: tuple[int, ...]
    thresholds: tuple[Floats, ...]
    lists: tuple[list[float], ...]
    starts: tuple[int, ...]
    kept: Masks
    values: Floats

    def one(self, line: Sequence[float]) -> Floats:
        """Sums (1, outputs) of one row, given as plain floats: numpy's overhead would cost most of it."""
        at = []
        for feature, known, start in zip(self.used, self.lists, self.starts, strict=True):
            value = line[feature]
            at.append(start + (bisect_left(known, value) if value == value else len(known) + 1))
        return self._sums(np.bitwise_and.reduce(self.kept[at], axis=0)[None, :])

    def many(self, matrix: Floats) -> Floats:
        """Sums (n, outputs)."""
        parts = [self._part(matrix[at : at + _ROWS_AT_ONCE]) for at in range(0, len(matrix), _ROWS_AT_ONCE)]
        return np.concatenate(parts) if parts else np.empty((0, self.values.shape[2]))

    def _part(self, matrix: Floats) -> Floats:
        left = np.full((len(matrix), self.kept.shape[1]), _ALL)
        for feature, known, start in zip(self.used, self.thresholds, self.starts, strict=True):
            column = matrix[:, feature]
            at = np.where(np.isnan(column), len(known) + 1, np.searchsorted(known, column))
            left &= self.kept[start + at]
        return self._sums(left)

    def _sums(self, left: Masks) -> Floats:
        lowest = left & (~left + np.uint64(1))
        leaves = np.bitwise_count(lowest - np.uint64(1))
        return np.asarray(self.values[np.arange(left.shape[1]), leaves].sum(axis=1))


def leaf_masks(
    roots: npt.NDArray[np.intp],
    feature: npt.NDArray[np.intp],
    threshold: Floats,
    children: npt.NDArray[np.intp],
    missing_left: npt.NDArray[np.bool_],
    *,
    values: Floats,
) -> LeafMasks | None:
    """The tables of trees given as airloop.models.forms.trees holds them; None where they would be too large."""
    leaf = children[::2] == np.arange(len(feature))
    if np.add.reduceat(leaf, roots, dtype=np.intp).max() > MOST_LEAVES:
        return None
    below = [_leaves(int(root), children) for root in roots]
    nodes = [(tree, node, mask) for tree, (_, inner) in enumerate(below) for node, mask in inner.items()]
    used = sorted({int(feature[node]) for _, node, _ in nodes})
    known = {at: np.unique([threshold[node] for _, node, _ in nodes if feature[node] == at]) for at in used}
    lines = sum(len(found) + 2 for found in known.values())
    if lines * len(roots) * 8 > _MOST_BYTES:
        return None
    starts = dict(zip(used, np.cumsum([0, *(len(known[at]) + 2 for at in used)]).tolist(), strict=False))
    kept = np.full((lines, len(roots)), _ALL)
    for tree, node, mask in nodes:
        at = int(feature[node])
        first = starts[at] + int(np.searchsorted(known[at], threshold[node])) + 1
        missing = starts[at] + len(known[at]) + 1
        kept[first:missing, tree] &= mask
        if not missing_left[node]:
            kept[missing, tree] &= mask
    found = np.zeros((len(roots), MOST_LEAVES, values.shape[1]))
    for tree, (leaves, _) in enumerate(below):
        found[tree, : len(leaves)] = values[leaves]
    thresholds = tuple(known[at] for at in used)
    lists = tuple(item.tolist() for item in thresholds)
    return LeafMasks(tuple(used), thresholds, lists, tuple(starts[at] for at in used), kept, found)


def _leaves(root: int, children: npt.NDArray[np.intp]) -> tuple[list[int], dict[int, np.uint64]]:
    """A tree's leaves from left to right, and of each inner node the mask that its failing leaves: all but its left."""
    leaves: list[int] = []
    masks: dict[int, np.uint64] = {}

    def visit(node: int) -> None:
        left, right = int(children[2 * node]), int(children[2 * node + 1])
        if left == node:
            leaves.append(node)
            return
        first = len(leaves)
        visit(left)
        bits = ((1 << len(leaves)) - 1) ^ ((1 << first) - 1)
        masks[node] = np.uint64(~bits & (2**64 - 1))
        visit(right)

    visit(root)
    return leaves, masks
