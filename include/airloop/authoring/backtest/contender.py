"""A model of a replayed past: trained at a cutoff, judged on its holdout, and as it went into force."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from airloop.models.choice import Incumbent
from airloop.problems import Floats
from airloop.records import Window


@dataclass(frozen=True, eq=False)
class Contender:
    """A trained candidate.

    Attributes:
        number: Its place among the trainings of the past, from 1; equal inputs share one number.
        train: Decision times of its training rows; `holdout` likewise.
        reference: The features of its training rows, what drift is measured against.
        held_out: Its labelled holdout rows, with decision_time, features and label.
        held_out_predictions: Of these rows, in their order.
        mature_predictions: Of all holdout rows, in their order: without a label, too, where the task learns from them.
        frame: Its rows of every part, where the task learns without labels; None elsewhere.
        kept_back: Its rows on reserve days, with their part; empty without any (training.reserve_days).
        refit_of: The judged model, when this one has learned from its holdout too.
    """

    number: int
    candidate: str
    params: dict[str, Any]
    features: tuple[str, ...]
    model: Any
    cutoff: datetime
    train: Window
    holdout: Window
    reference: pd.DataFrame
    held_out: pd.DataFrame
    held_out_predictions: Floats
    mature_predictions: Floats
    frame: pd.DataFrame | None
    kept_back: pd.DataFrame
    refit_of: "Contender | None" = None

    @property
    def incumbent(self) -> Incumbent:
        """What a training that may replace it starts from."""
        return Incumbent(self.candidate, self.params)

    def unseen(self, start: datetime) -> "Contender":
        """This model, or the judged one it is the refit of, when its own training reaches beyond `start`."""
        return self if self.refit_of is None or self.train.end <= start else self.refit_of
