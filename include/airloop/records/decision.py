"""What the gate hands on: decisions, the version that goes into force, its promotion and its card."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from airloop.records.base import Record, Window
from airloop.records.evaluation import Evidence


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
