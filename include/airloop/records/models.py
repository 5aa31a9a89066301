"""What training hands on: training sets, candidates, evidence, decisions."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from airloop.records.base import Record, Window

REASONS = ("hand", "probe", "schedule", "trigger")


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


@dataclass(frozen=True)
class Evidence(Record):
    """The paired result of two models on the same rows, bootstrapped over calendar-day blocks.

    Attributes:
        metric: One of airloop.config.METRICS, which say whether lower is better.
        gain: Improvement of the candidate over the champion; positive is better for every metric.
        lower: Lower bound of the two-sided `confidence` interval of the gain.
        champion: The champion's value of the metric; `candidate` likewise.
        rows: Labelled rows both scored.
        blocks: Calendar days (UTC) with at least one such row.
        level: One-sided error of `sure_lower`, the share of the year's error that this look spends; None in a gate,
            which looks once.
        sure_lower: What the gain is surely above at that level; None where it was not asked for or is not defined.
    """

    metric: str
    gain: float
    lower: float
    upper: float
    confidence: float
    champion: float
    candidate: float
    rows: int
    blocks: int
    resamples: int
    seed: int
    level: float | None = None
    sure_lower: float | None = None


@dataclass(frozen=True)
class Evaluated(Record):
    """Candidate and champion on the same holdout; `problems` says what kept a comparison from being made.

    Attributes:
        champion_version: None when the pipeline has no champion yet.
        evidence: One per metric; empty without a champion.
        problems: Each one makes the gate refuse.
        not_comparable: Why the champion cannot be compared; the candidate is then judged by floors only.
        model_digest: SHA-256 of the candidate's files, as they were loaded and judged.
        looks: Earlier decisions on other versions that looked at rows of this holdout; the evidence is at the
            confidence that this many looks leave (airloop.models.looks).
        measured: Place and kind of each of gate.rules -> what evaluate measured for it, or why it could not be
            measured.
        compared_version: The judged version whose refit the champion is, where the champion has learned from rows of
            this holdout and the judged one has not: its predictions are what was compared. None: the champion's own.
        unlabelled: Why there are no labels to judge by, of a task that learns without; empty where there are.
    """

    model_name: str
    version: int
    champion_version: int | None
    metrics: dict[str, float | None]
    champion_metrics: dict[str, float | None]
    evidence: tuple[Evidence, ...]
    holdout: Window
    holdout_rows: int
    cutoff: datetime
    reason: str
    reason_key: str
    problems: tuple[str, ...]
    not_comparable: str = ""
    model_digest: str = ""
    looks: int = 0
    measured: dict[str, dict[str, Any]] = field(default_factory=dict)
    compared_version: int | None = None
    unlabelled: str = ""


@dataclass(frozen=True)
class Check(Record):
    """One rule of a gate: the value it saw, the inequality it applied, in words."""

    rule: str
    passed: bool
    observed: float | None
    says: str


@dataclass(frozen=True)
class Decision(Record):
    """What a gate decided about a version, and on which evidence. `outcome` is `passed` or `refused`.

    Attributes:
        not_comparable: Why the champion was not compared with; the version was then judged by floors only.
        model_digest: SHA-256 of the files that were judged; what is promoted and what serves must match it.
        holdout: Decision times of the rows it was judged on; None on decisions of an older airloop.
        looks: Earlier decisions on other versions whose holdout overlaps this one: each look makes luck likelier, and
            is paid for by a wider interval.
        outside_model: It was refused, and nothing that refused it says anything about the model: the comparison could
            not be made. Such a decision answers no reason, and no cool-down counts from it.
        asked_by: Who started the training, by the name it was started under; empty when another DAG did. This person
            does not approve it.
        trigger_overlaps: Whether rows of the window that asked for the training are in the holdout: the gain that
            triggered it is then part of the gain that passed it. None where no window asked.
    """

    model_name: str
    version: int
    champion_version: int | None
    outcome: str
    why: str
    checks: tuple[Check, ...]
    evidence: tuple[Evidence, ...]
    reason: str
    reason_key: str
    effective_at: datetime
    sequence: int | None = None
    not_comparable: str = ""
    model_digest: str = ""
    holdout: Window | None = None
    looks: int = 0
    outside_model: bool = False
    asked_by: str = ""
    trigger_overlaps: bool | None = None

    @property
    def passed(self) -> bool:
        """Whether promotion may act on it."""
        return self.outcome == "passed"


@dataclass(frozen=True)
class Refitted(Record):
    """Which version a decision that passed puts in force.

    Attributes:
        version: Goes into force: the refit, or the judged version where nothing was refitted or its check failed.
        judged_version: What the gate judged; its evidence is that of the decision.
        outcome: `refitted`, or `judged` when the judged version itself goes into force; `why` says which, and why.
        model_digest: SHA-256 of the files of `version`.
        rows: Labelled rows the refit learned from, decided in `learned`; 0 when nothing was fitted.
        difference: Mean absolute difference of the refit's predictions from the judged ones on the holdout rows, in
            standard deviations of the judged ones; None when it was not measured.
        spread: Standard deviation of the refit's predictions, in the same unit.
        sequence: Number of its entry in the ledger; None when there is none.
    """

    model_name: str
    version: int
    judged_version: int
    decision_sequence: int
    outcome: str
    why: str
    model_digest: str
    effective_at: datetime
    rows: int = 0
    learned: Window | None = None
    difference: float | None = None
    spread: float | None = None
    sequence: int | None = None


@dataclass(frozen=True)
class Promoted(Record):
    """The alias has moved: `version` is champion for windows that start at or after `effective_at`.

    Attributes:
        refit_of: The version the gate judged, when its refit went into force; None when it is `version` itself.
    """

    model_name: str
    version: int
    previous_version: int | None
    decision_sequence: int
    sequence: int
    effective_at: datetime
    model_digest: str = ""
    refit_of: int | None = None


@dataclass(frozen=True)
class Described(Record):
    """The model card of a version was published.

    Attributes:
        measured: What the card says beyond the decision: `metrics` with intervals, `slices`, `calibration`,
            `importance` (airloop.models.described).
        card_uri: The card as HTML; `json_uri` as JSON.
    """

    model_name: str
    version: int
    measured: dict[str, Any]
    card_uri: str
    json_uri: str
