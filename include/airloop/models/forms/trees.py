"""Trees asked together: small ones by the leaves that each value rules out, others one step a level for all rows.

Forests compare a value rounded to float32 with a float64 threshold, gradient boosting takes it as it is; both send a
missing value where the node says. The fields of scikit-learn's trees are private: `choose` compares the answers.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from airloop.models.forms.columns import Rows
from airloop.models.forms.encoder import OrdinalRows, ordinal_rows
from airloop.models.forms.leaf_masks import LeafMasks, leaf_masks
from airloop.models.forms.links import LINKS

Floats = npt.NDArray[np.float64]
_ONE_BY_ONE = 4
_ROWS_AT_ONCE = 256
_LARGEST_FLOAT32 = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class _Nodes:
    """Nodes of one tree; a leaf's children are itself."""

    feature: npt.NDArray[np.intp]
    threshold: Floats
    left: npt.NDArray[np.intp]
    right: npt.NDArray[np.intp]
    missing_left: npt.NDArray[np.bool_]
    values: Floats
    depth: int


@dataclass(frozen=True)
class Trees:
    """All trees of an estimator.

    Attributes:
        children: Of node n, [2 n] where it goes left, [2 n + 1] where right; a leaf's are itself.
        values: What a node adds to each output; zero but for leaves.
        levels: How many steps the deepest tree takes.
        rounded: Whether values are rounded to float32 first.
        baseline: What is added to the sum over all trees, one a output.
        link: From there to predictions: a key of LINKS.
    """

    encoder: OrdinalRows
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
        masks = leaf_masks(
            self.roots, self.feature, self.threshold, self.children, self.missing_left, values=self.values
        )
        object.__setattr__(self, "masks", masks)

    def __call__(self, rows: Rows) -> Floats:
        """Predictions (n, outputs).

        Raises:
            ValueError: A number is too large for the model.
        """
        if self.masks is not None and not self.rounded and len(rows) <= _ONE_BY_ONE:
            sums = np.concatenate([self.masks.one(self.encoder.line(row)) for row in rows])
        else:
            matrix = self._as_compared(self.encoder.matrix(rows))
            sums = self.masks.many(matrix) if self.masks is not None else self._walked(matrix)
        return LINKS[self.link](sums + self.baseline)

    def _as_compared(self, matrix: Floats) -> Floats:
        if not self.rounded:
            return matrix
        if (np.abs(matrix) > _LARGEST_FLOAT32).any():
            raise ValueError("a number is too large for float32, which this model computes in")
        return matrix.astype(np.float32).astype(np.float64)

    def _walked(self, matrix: Floats) -> Floats:
        parts = [matrix[at : at + _ROWS_AT_ONCE] for at in range(0, len(matrix), _ROWS_AT_ONCE)]
        return np.concatenate([self._walk(part) for part in parts])

    def _walk(self, matrix: Floats) -> Floats:
        count, width = matrix.shape
        flat = matrix.ravel()
        base = (np.arange(count, dtype=np.intp) * width)[:, None]
        at = np.broadcast_to(self.roots, (count, len(self.roots)))
        missing = bool(np.isnan(flat).any())
        for _ in range(self.levels):
            value = flat[base + self.feature[at]]
            left = value <= self.threshold[at]
            if missing:
                left |= np.isnan(value) & self.missing_left[at]
            at = self.children[2 * at + ~left]
        return np.asarray(self.values[at].sum(axis=1))


def tree_form(encoder: Any, estimator: Any) -> Trees:
    """The trees of a fitted forest or histogram gradient boosting behind an ordinal encoder.

    Raises:
        ValueError: It is another kind of model.
    """
    rows = ordinal_rows(encoder)
    boosted = hasattr(estimator, "_predictors")
    if not boosted and not hasattr(estimator, "estimators_"):
        raise ValueError(f"{type(estimator).__name__} has no trees")
    trees = list(_boosted(estimator) if boosted else _forest(estimator))
    starts = np.cumsum([0, *(len(tree.feature) for tree in trees)])
    left = np.concatenate([tree.left + start for tree, start in zip(trees, starts[:-1], strict=True)])
    right = np.concatenate([tree.right + start for tree, start in zip(trees, starts[:-1], strict=True)])
    outputs = trees[0].values.shape[1]
    return Trees(
        encoder=rows,
        roots=starts[:-1].astype(np.intp),
        feature=np.concatenate([tree.feature for tree in trees]).astype(np.intp),
        threshold=np.concatenate([tree.threshold for tree in trees]),
        children=np.stack([left, right], axis=1).ravel(),
        missing_left=np.concatenate([tree.missing_left for tree in trees]),
        values=np.concatenate([tree.values for tree in trees]),
        levels=max(tree.depth for tree in trees),
        rounded=not boosted,
        baseline=np.asarray(estimator._baseline_prediction, dtype=np.float64).ravel() if boosted else np.zeros(outputs),
        link=_link(estimator) if boosted else "identity",
    )


def _boosted(estimator: Any) -> Iterator[_Nodes]:
    outputs = len(estimator._predictors[0])
    for iteration in estimator._predictors:
        for output, tree in enumerate(iteration):
            nodes = tree.nodes
            if nodes["is_categorical"].any():
                raise ValueError("a tree splits on categories")
            leaf = nodes["is_leaf"].astype(bool)
            values = np.zeros((len(nodes), outputs))
            values[leaf, output] = nodes["value"][leaf]
            yield _looped(
                leaf,
                feature=nodes["feature_idx"],
                threshold=nodes["num_threshold"],
                children=(nodes["left"], nodes["right"]),
                missing_left=nodes["missing_go_to_left"],
                values=values,
                depth=int(nodes["depth"].max()),
            )


def _forest(estimator: Any) -> Iterator[_Nodes]:
    count, classifies = len(estimator.estimators_), hasattr(estimator, "classes_")
    if type(estimator).__name__ not in _FORESTS:
        raise ValueError(f"{type(estimator).__name__} is not a forest whose trees are averaged")
    for one in estimator.estimators_:
        tree = one.tree_
        leaf = tree.children_left < 0
        values = tree.value[:, 0, :]
        if classifies:
            values = values / values.sum(axis=1, keepdims=True)
        yield _looped(
            leaf,
            feature=tree.feature,
            threshold=tree.threshold,
            children=(tree.children_left, tree.children_right),
            missing_left=tree.missing_go_to_left,
            values=np.where(leaf[:, None], values / count, 0.0),
            depth=int(tree.max_depth),
        )


_FORESTS = ("RandomForestClassifier", "RandomForestRegressor", "ExtraTreesClassifier", "ExtraTreesRegressor")


def _looped(
    leaf: npt.NDArray[np.bool_],
    *,
    feature: Any,
    threshold: Any,
    children: tuple[Any, Any],
    missing_left: Any,
    values: Floats,
    depth: int,
) -> _Nodes:
    here = np.arange(len(leaf))
    left, right = (np.where(leaf, here, side.astype(np.intp)) for side in children)
    return _Nodes(
        feature=np.where(leaf, 0, feature).astype(np.intp),
        threshold=np.where(leaf, np.inf, threshold).astype(np.float64),
        left=left,
        right=right,
        missing_left=np.asarray(missing_left).astype(bool),
        values=values,
        depth=depth,
    )


def _link(estimator: Any) -> str:
    """How a boosting's loss makes predictions of sums.

    Raises:
        ValueError: By another link than those of LINKS.
    """
    name = type(estimator._loss.link).__name__
    known = {"IdentityLink": "identity", "LogLink": "exp", "LogitLink": "sigmoid", "MultinomialLogit": "softmax"}
    if name not in known:
        raise ValueError(f"the link {name} is not known")
    return known[name]
