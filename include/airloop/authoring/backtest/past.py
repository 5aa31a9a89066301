"""The past of a pipeline, read once: its features, and its outcomes with the instants at which they became known."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from airloop.config import Pipeline
from airloop.features import examples, feature_store
from airloop.models.history import Thinning, kept_since
from airloop.records import Window
from airloop.settings import Settings
from airloop.stores import alarms


@dataclass(frozen=True)
class Past:
    """What any instant of the past can be asked about.

    Attributes:
        span: Decision times of the rows.
        features: Columns in model order; `categories` are those that are not numbers.
        ignored: Features whose drift does not count (features.ignore_drift).
        rows: Entity key, decision_time (UTC), features; as `examples.feature_frame` gives them, without labels.
        outcomes: Entity key, label, known_at (UTC), by known_at.
        excluded: Windows nobody trains on, because a person excluded them (airloop.stores.alarms).
        open_alarms: How many that would hold trainings nobody has answered; their rows are learned from all the same.
    """

    pipeline: Pipeline
    span: Window
    features: tuple[str, ...]
    categories: frozenset[str]
    ignored: tuple[str, ...]
    rows: pd.DataFrame
    outcomes: pd.DataFrame
    excluded: tuple[Window, ...] = ()
    open_alarms: int = 0

    def known(self, window: Window, *, as_of: datetime) -> pd.DataFrame:
        """Rows decided in the window with `label`, as known before `as_of`: what feature_frame gave at that instant."""
        key = self.pipeline.prediction.entity_key
        time, known_at = self.rows["decision_time"], self.outcomes["known_at"]
        rows = self.rows[(time >= window.start) & (time < window.end)]
        outcomes = self.outcomes[(known_at >= window.start) & (known_at < as_of)]
        labels = outcomes.drop_duplicates(key, keep="last").set_index(key)["label"]
        known = rows[key].map(labels).astype("float64")
        label = examples.with_absent(self.pipeline, known, rows["decision_time"], as_of)
        return rows.assign(label=label).reset_index(drop=True)

    def for_training(self, learned: Window, *, as_of: datetime, end: datetime) -> pd.DataFrame:
        """`known` up to `end`, thinned as a snapshot that learns from `learned`, without rows of excluded windows."""
        rows = self.known(Window(kept_since(self.pipeline, learned), end), as_of=as_of)
        positions = Thinning(self.pipeline, learned).positions(rows["decision_time"])
        return without(rows.iloc[positions], self.excluded)


def without(rows: pd.DataFrame, windows: Sequence[Window]) -> pd.DataFrame:
    """The rows decided in none of the windows."""
    for window in windows:
        rows = rows[(rows["decision_time"] < window.start) | (rows["decision_time"] >= window.end)]
    return rows.reset_index(drop=True)


def read_past(pipeline: Pipeline, span: Window, settings: Settings) -> Past:
    """Read the built features and the outcomes of a span.

    Raises:
        UpstreamUnavailable: Features of the span are not built and validated.
    """
    excluded, waiting = alarms.past_answers(pipeline, span, settings)
    rows = examples.feature_frame(pipeline, span, settings, with_labels=False)
    outcomes = examples.label_rows(pipeline, span, settings, as_of=span.end)
    return Past(
        pipeline=pipeline,
        span=span,
        features=feature_store.feature_names(pipeline, settings),
        categories=feature_store.categorical_features(pipeline, settings),
        ignored=feature_store.ignored_in_drift(pipeline, settings),
        rows=rows,
        outcomes=outcomes[[pipeline.prediction.entity_key, "label", "known_at"]],
        excluded=excluded,
        open_alarms=waiting,
    )
