"""The matrix that an encoder makes: dense, or sparse where words are columns."""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, issparse


def matrix(rows: npt.ArrayLike) -> Any:
    """Rows that can be taken by their places, whatever the encoder made."""
    return csr_matrix(rows) if issparse(rows) else np.asarray(rows)
