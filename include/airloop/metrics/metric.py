"""What every metric answers, and the two forms that most of them have."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Integers = npt.NDArray[np.int64]
    Statistic = Callable[[Floats], Floats]


class Metric(ABC):
    """One number that says how good predictions are; of many draws of days at once.

    Attributes:
        title: How people call it.
        task: The only kind of task it measures, as prediction.task names it.
        sign: -1.0 where lower is better, 1.0 where higher is: sign * value is higher for the better model.
    """

    title: ClassVar[str]
    task: ClassVar[str]
    sign: ClassVar[float]

    @abstractmethod
    def statistic(self, labels: Floats, predictions: Floats, block: Integers, size: int) -> Statistic:
        """The metric as a function of draws of days.

        A draw says how often each day occurs: a row of float64 (draws, days). What depends on the rows is worked out
        here, once; the function that is returned touches no row.

        Args:
            labels: (n,) as airloop.problems says, without gaps.
            predictions: Of the task, sound, for the same rows.
            block: The day of each row, as an index from 0.
            size: How many days there are.

        Returns:
            Draws (m, size) -> the metric of each (m,), NaN where a draw does not define it.

        Raises:
            DataContractError: These rows do not define it.
        """


class MeanLoss(Metric):
    """A metric that is the mean of a loss per row: a draw needs the rows and the losses of each day."""

    @abstractmethod
    def loss(self, labels: Floats, predictions: Floats) -> Floats:
        """The loss of each row (n,)."""

    def statistic(self, labels: Floats, predictions: Floats, block: Integers, size: int) -> Statistic:
        """See Metric."""
        import numpy as np

        rows = np.bincount(block, minlength=size)
        losses = np.bincount(block, weights=self.loss(labels, predictions), minlength=size)

        def mean(draws: Floats) -> Floats:
            means: Floats = (draws @ losses) / (draws @ rows)
            return means

        return mean


class RootMeanLoss(MeanLoss):
    """The root of a mean loss, as of squares."""

    def statistic(self, labels: Floats, predictions: Floats, block: Integers, size: int) -> Statistic:
        """See Metric."""
        mean = super().statistic(labels, predictions, block, size)

        def root(draws: Floats) -> Floats:
            roots: Floats = mean(draws) ** 0.5
            return roots

        return root
