"""From a model's raw outputs to what it predicts."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def _sigmoid(raw: Floats) -> Floats:
    with np.errstate(over="ignore"):
        probability = 1 / (1 + np.exp(-raw[:, 0]))
    shares = np.empty((len(raw), 2))  # np.stack takes as long as all the rest, of one row
    shares[:, 0], shares[:, 1] = 1 - probability, probability
    return shares


def _softmax(raw: Floats) -> Floats:
    shifted = np.exp(raw - raw.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


LINKS: dict[str, Callable[[Floats], Floats]] = {
    "identity": np.asarray,
    "exp": np.exp,
    "sigmoid": _sigmoid,
    "softmax": _softmax,
}
"""Raw outputs (n, outputs) -> values (n, 1), or the probabilities of all classes (n, classes)."""
