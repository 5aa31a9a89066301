"""Predicted quantiles that know their levels: a loss of quantiles is not defined without them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt


class Levelled(np.ndarray[Any, np.dtype[np.float64]]):
    """Predictions (n, levels) as any array, with `levels`: slices, copies and what is put together keep them.

    Attributes:
        levels: Of the columns, ascending; of a single row or column those of the whole.
    """

    levels: tuple[float, ...] = ()
    __array_priority__ = 1.0

    @classmethod
    def of(cls, predictions: npt.ArrayLike, levels: Sequence[float]) -> "Levelled":
        """Predictions as float64 with their levels."""
        levelled = np.asarray(predictions, dtype=np.float64).view(cls)
        levelled.levels = tuple(levels)
        return levelled

    def __array_finalize__(self, made_from: Any) -> None:
        self.levels = getattr(made_from, "levels", ())

    def __array_function__(
        self, called: Callable[..., Any], types: Any, arguments: Iterable[Any], options: Mapping[str, Any]
    ) -> Any:
        """Numpy makes some results, like those of concatenate, of no array in particular: they get these levels."""
        result = super().__array_function__(called, types, arguments, options)
        if isinstance(result, Levelled) and not result.levels:
            result.levels = self.levels
        return result

    def __reduce__(self) -> Any:
        """Sent to another process it keeps its levels."""
        return Levelled.of, (np.asarray(self), self.levels)
