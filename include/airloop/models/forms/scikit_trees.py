"""The trees of scikit-learn's forests and histogram gradient boosting.

Forests compare a value rounded to float32 with a float64 threshold, gradient boosting takes it as it is; both send a
missing value where the node says. The fields are private: `choose` compares the answers.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from airloop.models.forms.nodes import Grown, Nodes, looped

_FORESTS = ("RandomForestClassifier", "RandomForestRegressor", "ExtraTreesClassifier", "ExtraTreesRegressor")


def grown(estimator: Any) -> Grown:
    """What a fitted estimator holds.

    Raises:
        ValueError: It is another kind of model.
    """
    if hasattr(estimator, "_predictors"):
        baseline = np.asarray(estimator._baseline_prediction, dtype=np.float64).ravel()
        return Grown(list(_boosted(estimator)), rounded=False, baseline=baseline, link=_link(estimator))
    if type(estimator).__name__ not in _FORESTS:
        raise ValueError(f"{type(estimator).__name__} has no trees that are summed or averaged")
    trees = list(_forest(estimator))
    return Grown(trees, rounded=True, baseline=np.zeros(trees[0].values.shape[1]), link="identity")


def _boosted(estimator: Any) -> Iterator[Nodes]:
    outputs = len(estimator._predictors[0])
    for iteration in estimator._predictors:
        for output, tree in enumerate(iteration):
            nodes = tree.nodes
            if nodes["is_categorical"].any():
                raise ValueError("a tree splits on categories")
            leaf = nodes["is_leaf"].astype(bool)
            values = np.zeros((len(nodes), outputs))
            values[leaf, output] = nodes["value"][leaf]
            yield looped(
                leaf,
                feature=nodes["feature_idx"],
                threshold=nodes["num_threshold"],
                children=(nodes["left"], nodes["right"]),
                missing_left=nodes["missing_go_to_left"],
                values=values,
                depth=int(nodes["depth"].max()),
            )


def _forest(estimator: Any) -> Iterator[Nodes]:
    count, classifies = len(estimator.estimators_), hasattr(estimator, "classes_")
    for one in estimator.estimators_:
        tree = one.tree_
        leaf = tree.children_left < 0
        values = tree.value[:, 0, :]
        if classifies:
            values = values / values.sum(axis=1, keepdims=True)
        yield looped(
            leaf,
            feature=tree.feature,
            threshold=tree.threshold,
            children=(tree.children_left, tree.children_right),
            missing_left=tree.missing_go_to_left,
            values=np.where(leaf[:, None], values / count, 0.0),
            depth=int(tree.max_depth),
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
