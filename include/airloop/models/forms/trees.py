"""Trees asked together: small ones by the leaves that each value rules out, others one step a level for all rows.

Those of several fits behind one encoder, too: a row is encoded and looked up once for all of them.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from airloop.models.forms import lightgbm_trees, scikit_trees
from airloop.models.forms.columns import Rows
from airloop.models.forms.encoder import OrdinalRows, ordinal_rows
from airloop.models.forms.leaf_masks import LeafMasks, leaf_masks
from airloop.models.forms.links import LINKS
from airloop.models.forms.nodes import Grown
from airloop.models.forms.steps import Steps, steps_of

Floats = npt.NDArray[np.float64]
_ONE_BY_ONE = 4
_MASKED_AT_ONCE, _WALKED_AT_ONCE = 512, 256
_LARGEST_FLOAT32 = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Trees:
    """All trees of an estimator, or of several fits that answer by the mean of their predictions.

    Attributes:
        fits: Of each fit, the place of its first tree among all.
        children: Of node n, [2 n] where it goes left, [2 n + 1] where right; a leaf's are itself.
        values: What a node adds to each output; zero but for leaves.
        levels: How many steps the deepest tree takes.
        rounded: Whether values are rounded to float32 first.
        baseline: What is added to the sum over all trees of a fit, (fits, outputs).
        link: From there to predictions: a key of LINKS.
    """

    encoder: OrdinalRows
    fits: npt.NDArray[np.intp]
    roots: npt.NDArray[np.intp]
    feature: npt.NDArray[np.intp]
    threshold: Floats
    children: npt.NDArray[np.intp]
    missing_left: npt.NDArray[np.bool_]
    values: Floats
    levels: int
    rounded: bool
    baseline: Floats
    link: str
    masks: LeafMasks | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "masks", leaf_masks(*self._nodes, values=self.values, fits=len(self.fits)))

    @property
    def _nodes(self) -> tuple[Any, ...]:
        return self.roots, self.feature, self.threshold, self.children, self.missing_left

    @cached_property
    def steps(self) -> Steps:
        """Of trees that are too large for masks."""
        return steps_of(*self._nodes, values=self.values)

    def __call__(self, rows: Rows) -> Floats:
        """Predictions (n, outputs).

        Raises:
            ValueError: A number is too large for the model.
        """
        if self.masks is not None and not self.rounded and len(rows) <= _ONE_BY_ONE:
            sums = np.concatenate([self._sums(self.masks.one(self.encoder.line(row))) for row in rows])
        else:
            matrix = self._as_compared(self.encoder.matrix(rows))
            at_once = _MASKED_AT_ONCE if self.masks is not None else _WALKED_AT_ONCE
            sums = np.concatenate([self._asked(matrix[at : at + at_once]) for at in range(0, len(matrix), at_once)])
        return self._mean(sums)

    def _asked(self, matrix: Floats) -> Floats:
        if self.masks is not None:
            return self._sums(self.masks.many(matrix))
        return self._sums(self.steps.added(matrix, levels=self.levels))

    def _sums(self, added: Floats) -> Floats:
        """Of what each tree adds (n, trees, outputs), the sums over the trees of each fit (n, fits, outputs)."""
        return np.asarray(np.add.reduceat(added, self.fits, axis=1))

    def _mean(self, sums: Floats) -> Floats:
        """Predictions (n, outputs) of the sums (n, fits, outputs)."""
        count, fits, outputs = sums.shape
        apart = LINKS[self.link]((sums + self.baseline).reshape(count * fits, outputs))
        if fits == 1:
            return apart
        return np.asarray(apart.reshape(count, fits, apart.shape[1]).mean(axis=1))

    def _as_compared(self, matrix: Floats) -> Floats:
        if not self.rounded:
            return matrix
        if (np.abs(matrix) > _LARGEST_FLOAT32).any():
            raise ValueError("a number is too large for float32, which this model computes in")
        return matrix.astype(np.float32).astype(np.float64)


def tree_form(encoder: Any, estimator: Any) -> Trees:
    """The trees of a fitted forest, a histogram gradient boosting or LightGBM's behind an ordinal encoder.

    Args:
        estimator: One, or a vote of several fits (airloop.models.soft_vote).

    Raises:
        ValueError: It is another kind of model, or its fits say what they predict in different ways.
    """
    rows = ordinal_rows(encoder)
    grown = [_grown(fit) for fit in getattr(estimator, "members", (estimator,))]
    (link, rounded), *others = {(fit.link, fit.rounded) for fit in grown}
    if others:
        raise ValueError("its fits are of different kinds")
    trees = [tree for fit in grown for tree in fit.trees]
    starts = np.cumsum([0, *(len(tree.feature) for tree in trees)])
    left = np.concatenate([tree.left + start for tree, start in zip(trees, starts[:-1], strict=True)])
    right = np.concatenate([tree.right + start for tree, start in zip(trees, starts[:-1], strict=True)])
    return Trees(
        encoder=rows,
        fits=np.cumsum([0, *(len(fit.trees) for fit in grown[:-1])]).astype(np.intp),
        roots=starts[:-1].astype(np.intp),
        feature=np.concatenate([tree.feature for tree in trees]).astype(np.intp),
        threshold=np.concatenate([tree.threshold for tree in trees]),
        children=np.stack([left, right], axis=1).ravel(),
        missing_left=np.concatenate([tree.missing_left for tree in trees]),
        values=np.concatenate([tree.values for tree in trees]),
        levels=max(tree.depth for tree in trees),
        rounded=rounded,
        baseline=np.stack([fit.baseline for fit in grown]),
        link=link,
    )


def _grown(estimator: Any) -> Grown:
    reader = lightgbm_trees if type(estimator).__name__.startswith("LightGBM") else scikit_trees
    grown: Grown = reader.grown(estimator)
    return grown
