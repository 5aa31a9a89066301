"""What tasks of two classes share: labels 0 and 1, a prediction between them."""

import numpy as np
import numpy.typing as npt

from airloop.problems.problem import Flags, Floats, Integers, Task


class TwoClasses(Task):
    """A label is 0 or 1, a prediction lies in [0, 1]."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """The labels."""
        return ("0", "1")

    def days_of_rarer_class(self, labels: npt.ArrayLike, days: Integers) -> float:
        """Days on which the rarer of the two classes occurs."""
        values = np.asarray(labels)
        return float(min(np.unique(days[values == label]).size for label in (0, 1)))

    def _fitting(self, labels: Floats) -> Flags:
        return np.isin(labels, (0.0, 1.0))

    def _label_words(self) -> str:
        return "0 or 1"

    def _sound(self, predictions: Floats) -> Flags:
        return (predictions >= 0) & (predictions <= 1)
