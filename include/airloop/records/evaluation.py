"""What evaluation hands on: two models compared on the same rows."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from airloop.records.base import Record, Window


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
