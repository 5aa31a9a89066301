"""Models that answer together: the mean of what they predict. A member may be a vote itself, of one weight.

Model files hold these classes by their module and name (airloop.stores.mlflow.model_types): they are not moved.
"""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.pipeline import Pipeline

Numbers = npt.NDArray[np.float64]


class _Vote(BaseEstimator):  # type: ignore[misc]
    """Members are scikit-learn pipelines, each with its own encoder, or estimators behind one; fitted in place."""

    def __init__(self, members: Sequence[Any]) -> None:
        self.members = members

    def fit(self, rows: Any, labels: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Self:
        """Fit each member to the same rows: a data frame of the features, or what an encoder made of it."""
        for member in self.members:
            prefix = f"{member.steps[-1][0]}__" if isinstance(member, Pipeline) else ""
            member.fit(rows, labels, **({} if sample_weight is None else {f"{prefix}sample_weight": sample_weight}))
        self.n_features_in_ = np.shape(rows)[1]
        return self


class VoteOfClassifiers(ClassifierMixin, _Vote):  # type: ignore[misc]
    """Soft voting: the mean of the members' probabilities.

    Attributes:
        classes_: Labels of the classes, sorted; the same of every member.
    """

    def fit(self, rows: Any, labels: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Self:
        """Fit each member to the same rows."""
        self.classes_ = np.unique(labels)
        return super().fit(rows, labels, sample_weight)

    def predict_proba(self, rows: Any) -> Numbers:
        """Probabilities (n, classes)."""
        return mean([member.predict_proba(rows) for member in self.members])

    def predict(self, rows: Any) -> npt.NDArray[Any]:
        """The most probable class of each row."""
        predicted: npt.NDArray[Any] = self.classes_[self.predict_proba(rows).argmax(axis=1)]
        return predicted


class VoteOfRegressors(RegressorMixin, _Vote):  # type: ignore[misc]
    """The mean of the members' values, or of each of their quantiles."""

    @property
    def levels(self) -> tuple[float, ...]:
        """Of members that predict quantiles."""
        first = self.members[0]
        return tuple((first.steps[-1][1] if isinstance(first, Pipeline) else first).levels)

    def predict(self, rows: Any) -> Numbers:
        """Values (n,), or (n, levels)."""
        return mean([member.predict(rows) for member in self.members])


def mean(answers: Sequence[npt.ArrayLike]) -> Numbers:
    """Of several answers to the same rows; the fast form of a vote takes it, too."""
    means: Numbers = np.mean([np.asarray(each, dtype=np.float64) for each in answers], axis=0)
    return means


def members_of(model: Any) -> tuple[Any, ...]:
    """The pipelines of the single models that answer together; the pipeline itself where it answers alone.

    Members behind one encoder share it.
    """
    *before, (name, last) = model.steps
    if not isinstance(last, _Vote):
        return (model,)
    members = [Pipeline([*before, (name, member)]) for member in last.members] if before else last.members
    return tuple(single for member in members for single in members_of(member))
