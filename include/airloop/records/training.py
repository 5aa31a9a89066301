"""What training hands on: training sets, tuned candidates, registered versions."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from airloop.records.base import Record, Window

REASONS = ("growth", "hand", "probe", "schedule", "trigger")


@dataclass(frozen=True)
class Snapshot(Record):
    """A frozen training set.

    Attributes:
        cutoff: Rows with decision time <= cutoff - label delay are mature.
        train: Decision times of the training rows.
        holdout: Decision times of the holdout rows; starts one embargo after `train` ends.
        uri: Parquet file: entity key, decision_time (UTC), features, label (null for none), part
            ('train'|'holdout'|'reserve').
        digest: SHA-256 of the content in (decision_time, entity key) order.
        unlabelled_rows: Mature rows without a label (cancelled, diverted): kept in the file, learned from only where
            the task, or training.unlabelled, says so.
        leak_checked: Decision times the leak check rebuilt.
        reason: Why this training was asked for: one of REASONS (airloop.stores.training_reason says whether it counts).
        reason_key: What asked (one training answers it); equal for two triggers of the same cause.
        examples_before_holdout: How many examples lay before the holdout; the file holds fewer where
            training.max_train_rows thinned them. 0 in records of an older airloop.
        reserve_days: Every so many days are kept back (training.reserve_days); None: there are none.
        labels_fingerprint: Of what a label means (airloop.features.label_meaning); empty in records of an older
            airloop.
    """

    pipeline: str
    cutoff: datetime
    train: Window
    holdout: Window
    uri: str
    digest: str
    train_rows: int
    holdout_rows: int
    unlabelled_rows: int
    features: tuple[str, ...]
    feature_service: str
    feature_fingerprint: str
    table_versions: dict[str, int]
    leak_checked: tuple[datetime, ...]
    reason: str
    reason_key: str
    examples_before_holdout: int = 0
    reserve_days: int | None = None
    labels_fingerprint: str = ""


@dataclass(frozen=True)
class TunedCandidate(Record):
    """The best parameters of one candidate family and its mean score over time-ordered folds (higher is better).

    Attributes:
        fold_scores: The score on each fold, oldest first; empty on records of an older airloop.
    """

    candidate: str
    params: dict[str, Any]
    score: float
    trials: int
    seconds: float
    run_id: str
    fold_scores: tuple[float, ...] = ()


@dataclass(frozen=True)
class TrainedModel(Record):
    """A registered, unjudged model version; `experiment_id` is MLflow's, for links.

    Attributes:
        model_digest: SHA-256 over the files of the model (airloop.stores.mlflow.model_files); empty for versions of an
            older airloop.
    """

    candidate: str
    model_name: str
    version: int
    run_id: str
    model_uri: str
    params: dict[str, Any]
    snapshot_digest: str
    input_key: str
    experiment_id: str = ""
    model_digest: str = ""
