"""Fast forms that answer together: of a vote, each member by its own form, and the mean of what they say."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from airloop.models.forms.columns import Rows
from airloop.models.forms.linear import Linear, linear_form
from airloop.models.forms.trees import Trees, tree_form

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Together:
    """The mean of the answers of its parts, which predict the same outputs in the same order.

    A part that is such a mean itself has the weight of one: half of a vote of four fits and another family. Fits that
    have an encoder in common are one part: airloop.models.forms.trees.
    """

    parts: tuple["Trees | Linear | Together", ...]

    def __call__(self, rows: Rows) -> Floats:
        """Predictions (n, outputs)."""
        answers = [part(rows) for part in self.parts]
        # The same bits as np.mean, which takes longer than a part of one row.
        return np.asarray(sum(answers[1:], start=answers[0]) / len(answers))


def vote_form(_encoder: None, vote: Any) -> Together:
    """The forms of a vote's members (airloop.models.soft_vote); each member has an encoder of its own.

    Raises:
        ValueError: A member has no fast form.
    """
    return Together(tuple(_form(member) for member in vote.members))


def _form(member: Any) -> Trees | Linear | Together:
    *before, estimator = (step for _, step in member.steps)
    if not before:
        return vote_form(None, estimator)
    encoder, whys = before[0], []
    for build in (tree_form, linear_form):
        try:
            return build(encoder, estimator)
        except (ValueError, AttributeError, TypeError) as error:
            whys.append(str(error))
    raise ValueError(f"{type(estimator).__name__}: {'; '.join(whys)}")
