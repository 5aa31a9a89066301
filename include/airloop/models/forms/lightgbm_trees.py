"""The trees of a LightGBM model: float64 values against float64 thresholds, as its text has them.

Where a value goes: Tree::NumericalDecision of LightGBM's include/LightGBM/tree.h; one of at most 1e-35, which its
prediction reads as 0, with it (src/c_api.cpp).
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from airloop.models.forms.nodes import Grown, Nodes, looped

_LINKS = {
    "binary": "sigmoid",
    "cross_entropy": "sigmoid",
    "multiclass": "softmax",
    **dict.fromkeys(("regression", "regression_l1", "huber", "fair", "quantile", "mape"), "identity"),
    **dict.fromkeys(("poisson", "gamma", "tweedie"), "exp"),
}
"""Objective -> what is done to the sum of the leaves."""
_PLAIN = ("sigmoid:1", "num_class:")
"""What an objective may say of itself and be what _LINKS says."""
_ZERO = float(np.float32(1e-35))


def grown(estimator: Any) -> Grown:
    """What a model of airloop.models.frameworks.lightgbm holds.

    Raises:
        ValueError: Its objective, its leaves or its way of splitting is not known here.
    """
    model = estimator._read.dump_model()
    objective, *options = str(model.get("objective", "")).split()
    strange = [option for option in options if not option.startswith(_PLAIN)]
    if objective not in _LINKS or strange or model.get("average_output"):
        raise ValueError(f"LightGBM's objective {model.get('objective')!r}, or its average of trees, is not known")
    outputs = int(model["num_tree_per_iteration"])
    trees = [_nodes(tree, number % outputs, outputs) for number, tree in enumerate(model["tree_info"])]
    return Grown(trees, rounded=False, baseline=np.zeros(outputs), link=_LINKS[objective])


def _nodes(tree: Mapping[str, Any], output: int, outputs: int) -> Nodes:
    """One tree, its nodes from the root on."""
    nodes = list(_below(tree["tree_structure"], 0))
    place = {id(node): at for at, (node, _) in enumerate(nodes)}
    leaf = np.array(["split_feature" not in node for node, _ in nodes])
    values = np.zeros((len(nodes), outputs))
    values[leaf, output] = [node["leaf_value"] for node, _ in nodes if "split_feature" not in node]

    def child(side: str) -> Any:
        return np.array([place[id(node[side])] if side in node else 0 for node, _ in nodes])

    return looped(
        leaf,
        feature=np.array([node.get("split_feature", 0) for node, _ in nodes]),
        threshold=np.array([_threshold(node.get("threshold", math.inf)) for node, _ in nodes]),
        children=(child("left_child"), child("right_child")),
        missing_left=np.array([_missing_left(node) for node, _ in nodes]),
        values=values,
        depth=max(depth for _, depth in nodes),
    )


def _below(node: Mapping[str, Any], depth: int) -> Iterator[tuple[Mapping[str, Any], int]]:
    yield node, depth
    if "split_feature" in node:
        for side in ("left_child", "right_child"):
            yield from _below(node[side], depth + 1)


def _threshold(declared: float) -> float:
    """One that sends all that counts as 0 to the side of 0."""
    if abs(declared) > _ZERO:
        return declared
    return _ZERO if declared >= 0 else math.nextafter(-_ZERO, -math.inf)


def _missing_left(node: Mapping[str, Any]) -> bool:
    """Where a missing value goes: as learned, or, of a feature that never had one, where 0 goes.

    Raises:
        ValueError: The split is of categories or takes 0 for missing, or a leaf is a linear model.
    """
    if "split_feature" not in node:
        if node.get("leaf_coeff"):
            raise ValueError("leaves of LightGBM are linear models")
        return True
    if node["decision_type"] != "<=" or node["missing_type"] == "Zero":
        raise ValueError(f"LightGBM splits by {node['decision_type']}, missing is {node['missing_type']}")
    return bool(node["default_left"]) if node["missing_type"] == "NaN" else node["threshold"] >= 0
