"""Trees of at most 64 leaves, asked without walking: each feature's value rules leaves out, and one remains a tree.

QuickScorer (Lucchese et al., SIGIR 2015): a node whose condition fails rules out the leaves below its left child. For a
feature, the conditions that fail are those of the thresholds below the value, so what they rule out together is looked
up by the value's place among the thresholds. The exit of a tree is its leftmost leaf that no feature ruled out.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Masks = npt.NDArray[np.uint32] | npt.NDArray[np.uint64]
MOST_LEAVES = 64
_KINDS = {32: np.uint32, MOST_LEAVES: np.uint64}
"""Leaves of the largest tree, at most -> a bit each."""
_MOST_BYTES = 64 << 20


@dataclass(frozen=True)
class LeafMasks:
    """The look-up tables of all trees.

    Attributes:
        used: The features that any tree asks about; the lists below go by them.
        thresholds: Of each, ascending and distinct, and infinity at the end: a search places a missing value (NaN)
            after it and every other one before.
        lists: The same numbers as lists, without that infinity.
        starts: Of each, where its lines begin in `kept`: one more than thresholds, then the one of a missing value.
        kept: Line -> tree -> the leaves that are not ruled out, a bit each.
        values: Leaf, tree by tree -> what it adds to each output.
        first: Of each tree, its first leaf in `values`.
    """

    used: tuple[int, ...]
    thresholds: tuple[Floats, ...]
    lists: tuple[list[float], ...]
    starts: tuple[int, ...]
    kept: Masks
    values: Floats
    first: npt.NDArray[np.intp]

    def one(self, line: Sequence[float]) -> Floats:
        """What each tree adds (1, trees, outputs) to a row of plain floats: numpy's overhead would cost most of it."""
        at = []
        for feature, known, start in zip(self.used, self.lists, self.starts, strict=True):
            value = line[feature]
            at.append(start + (bisect_left(known, value) if value == value else len(known) + 1))
        return self._added(np.bitwise_and.reduce(self.kept[at], axis=0)[None, :])

    def many(self, matrix: Floats) -> Floats:
        """What each tree adds (n, trees, outputs)."""
        left = np.full((len(matrix), self.kept.shape[1]), _all(self.kept.dtype), self.kept.dtype)
        lines = np.empty_like(left)
        for feature, known, start in zip(self.used, self.thresholds, self.starts, strict=True):
            at = known.searchsorted(matrix[:, feature])
            at += start
            # `take` into what is there, without a check of what cannot be outside: half the time of kept[at].
            self.kept.take(at, axis=0, out=lines, mode="clip")
            left &= lines
        return self._added(left)

    def _added(self, left: Masks) -> Floats:
        leaves = np.bitwise_count(~left & (left - left.dtype.type(1)))  # zeros below the lowest bit
        return self.values.take(self.first + leaves, axis=0)


def leaf_masks(
    roots: npt.NDArray[np.intp],
    feature: npt.NDArray[np.intp],
    threshold: Floats,
    children: npt.NDArray[np.intp],
    missing_left: npt.NDArray[np.bool_],
    *,
    values: Floats,
    fits: int,
) -> LeafMasks | None:
    """The tables of trees given as airloop.models.forms.trees holds them; None where they would be too large a fit."""
    most = _most_leaves(roots, children)
    if most > MOST_LEAVES:
        return None
    width, after = min(bits for bits in _KINDS if bits >= most), children.tolist()
    below = [_leaves(int(root), after, width) for root in roots]
    at = np.array([node for _, masks in below for node in masks], dtype=np.intp)
    inner = _Inner(
        feature[at],
        threshold[at],
        ~missing_left[at],
        np.repeat(np.arange(len(roots)), [len(masks) for _, masks in below]),
        np.array([mask for _, masks in below for mask in masks.values()], dtype=_KINDS[width]),
    )
    known = {int(one): np.unique(inner.threshold[inner.feature == one]) for one in np.unique(inner.feature)}
    starts = np.cumsum([0, *(len(bounds) + 2 for bounds in known.values())]).tolist()
    if starts[-1] * len(roots) * width // 8 > _MOST_BYTES * fits:
        return None
    left_over = np.full((starts[-1], len(roots)), _all(inner.kept.dtype), inner.kept.dtype)
    for one, start in zip(known, starts, strict=False):
        _rule_out(left_over[start : start + len(known[one]) + 2], known[one], inner.of(one))
    return LeafMasks(
        used=tuple(known),
        thresholds=tuple(np.append(bounds, np.inf) for bounds in known.values()),
        lists=tuple(bounds.tolist() for bounds in known.values()),
        starts=tuple(starts[:-1]),
        kept=left_over,
        values=values[[leaf for leaves, _ in below for leaf in leaves]],
        first=np.cumsum([0, *(len(leaves) for leaves, _ in below[:-1])]),
    )


@dataclass(frozen=True)
class _Inner:
    """Nodes that ask about a feature.

    Attributes:
        right: Whether a missing value goes right.
        kept: The leaves that are left when the condition fails: all but those below its left child.
    """

    feature: npt.NDArray[np.intp]
    threshold: Floats
    right: npt.NDArray[np.bool_]
    tree: npt.NDArray[np.intp]
    kept: Masks

    def of(self, feature: int) -> "_Inner":
        mine = self.feature == feature
        return _Inner(self.feature[mine], self.threshold[mine], self.right[mine], self.tree[mine], self.kept[mine])


def _rule_out(lines: Masks, known: Floats, nodes: _Inner) -> None:
    """Fill the lines of one feature: those of its values' places among the thresholds, and of a missing value."""
    np.bitwise_and.at(lines, (known.searchsorted(nodes.threshold) + 1, nodes.tree), nodes.kept)
    # What fails at a threshold fails at all higher values too.
    np.bitwise_and.accumulate(lines[:-1], axis=0, out=lines[:-1])
    np.bitwise_and.at(lines[-1], nodes.tree[nodes.right], nodes.kept[nodes.right])


def _most_leaves(roots: npt.NDArray[np.intp], children: npt.NDArray[np.intp]) -> int:
    leaf = children[::2] == np.arange(len(children) // 2)
    return int(np.add.reduceat(leaf, roots, dtype=np.intp).max())


def _all(kind: Any) -> int:
    return int(np.iinfo(kind).max)


def _leaves(root: int, children: Sequence[int], width: int) -> tuple[list[int], dict[int, int]]:
    """A tree's leaves from left to right, and of each inner node the mask that its failing leaves: all but its left."""
    leaves: list[int] = []
    masks: dict[int, int] = {}

    def visit(node: int) -> None:
        left, right = children[2 * node], children[2 * node + 1]
        if left == node:
            leaves.append(node)
            return
        first = len(leaves)
        visit(left)
        bits = ((1 << len(leaves)) - 1) ^ ((1 << first) - 1)
        masks[node] = ~bits & ((1 << width) - 1)
        visit(right)

    visit(root)
    return leaves, masks
