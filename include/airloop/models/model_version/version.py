"""A registered model version: what it predicts, what it was made from, and whether it fits today's features."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import pandas as pd

from airloop.config import Pipeline
from airloop.errors import GuardRefused
from airloop.features import feature_store
from airloop.features.pinned import Pinned
from airloop.models.reserve import Learned, learnable
from airloop.problems import Floats, task_of
from airloop.records import Snapshot
from airloop.settings import Settings

_SHOWN = 3


@dataclass(frozen=True)
class ModelVersion:
    """A registered model version, loaded, with what it was made from.

    Attributes:
        model: scikit-learn pipeline; airloop.problems predicts with it on a frame of `features`.
        digest: SHA-256 over its files (model_files.digest), as they were loaded.
        pinned: Its features as they were defined; None of a version of an older airloop.
        read_holdout_predictions: Reads `holdout_predictions`, which scoring does without.
        refit_of: The judged version that it is the refit of; None for a version that was judged itself.
    """

    version: int
    model: Any
    features: tuple[str, ...]
    candidate: str
    params: dict[str, Any]
    snapshot: Snapshot
    read_holdout_predictions: Callable[[], pd.DataFrame]
    digest: str = ""
    pinned: Pinned | None = None
    refit_of: int | None = None

    @cached_property
    def holdout_predictions(self) -> pd.DataFrame:
        """Entity key, decision_time, label, prediction of its holdout; empty before evaluation.

        Of a refit those of the judged version: its own would be of rows it has learned from.

        Raises:
            UpstreamUnavailable: The file cannot be read.
        """
        return self.read_holdout_predictions()

    @property
    def learned_until(self) -> datetime:
        """The end (exclusive) of the decision times it learned from."""
        return self.snapshot.train.end if self.refit_of is None else self.snapshot.holdout.end

    def learned(self, frozen: pd.DataFrame) -> pd.DataFrame:
        """The rows of its snapshot's frame that it learned from."""
        every = self.snapshot.reserve_days
        return frozen[frozen["part"] == "train"] if self.refit_of is None else learnable(frozen, every)

    def predict(self, pipeline: Pipeline, rows: pd.DataFrame) -> Floats:
        """What it predicts for rows that hold its features, as the pipeline's task says (airloop.problems).

        Raises:
            GuardRefused: It is not a model of the task, a feature is missing, or a prediction is not valid.
        """
        missing = [name for name in self.features if name not in rows.columns]
        if missing:
            raise GuardRefused(f"version {self.version} needs feature {missing[0]!r}, which the rows do not have")
        task = task_of(pipeline)
        predicted = task.predict(self.model, rows[list(self.features)])
        problem = task.prediction_problem(predicted)
        if problem:
            raise GuardRefused(f"version {self.version}: {problem}")
        return predicted

    def as_learned(self, pipeline: Pipeline) -> Learned:
        """What it says of rows, beside what it has learned from."""
        return Learned(lambda rows: self.predict(pipeline, rows), self.learned_until, self.snapshot.reserve_days)

    def unfit_for(self, pipeline: Pipeline, settings: Settings) -> tuple[str, ...]:
        """Why today's features are not what it learned from; empty when they are."""
        fingerprint = feature_store.fingerprint_like(self.snapshot.feature_fingerprint, pipeline, settings)
        if fingerprint == self.snapshot.feature_fingerprint:
            return ()
        today = feature_store.feature_names(pipeline, settings)
        gone = [f"feature {name!r} is gone" for name in self.features if name not in today]
        changed = [f"definitions {self.snapshot.feature_fingerprint[:12]}, now {fingerprint[:12]}", *gone]
        service = f"feature service {pipeline.features.service}"
        return (f"{service} is not what version {self.version} was trained on ({', '.join(changed[:_SHOWN])})",)
