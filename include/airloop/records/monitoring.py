"""What scoring and monitoring hand on."""

from dataclasses import dataclass
from datetime import datetime

from airloop.records.alarm import Alarm
from airloop.records.base import Record, Window
from airloop.records.evaluation import Evidence


@dataclass(frozen=True)
class Scored(Record):
    """Predictions of one model for one window; `appended` is 0 when the window was scored before.

    Attributes:
        by_pinned_features: Whether today's features mean something else than those the model learned from, so that its
            own were computed.
    """

    window: Window
    version: int
    role: str
    mode: str
    rows: int
    appended: int
    table_version: int
    by_pinned_features: bool = False


@dataclass(frozen=True)
class ProbeRefit(Record):
    """A refit of the probe that a look compared with.

    Attributes:
        cutoff: It learnt from rows decided a label delay before it, and serves the rows from there to the next refit.
        rows: Labelled rows it was fitted on.
        uri: Where it is kept for later looks; empty when none needs it.
    """

    cutoff: datetime
    rows: int
    uri: str


@dataclass(frozen=True)
class AfterPromotion(Record):
    """A champion against the one that it replaced, on the first rows that it scored live.

    Attributes:
        previous: The version that it replaced.
        promotion: Number of the promotion's entry (`done`) in the ledger.
        days: Decision times of the rows that both predicted.
        evidence: One per metric, of the new version over the one before, measured as the gate measures.
        why_not: Why there is none, or none in a metric.
    """

    version: int
    previous: int
    promotion: int
    days: Window
    evidence: tuple[Evidence, ...]
    why_not: str = ""


@dataclass(frozen=True)
class AlarmRate(Record):
    """Share of scored rows that are alarms; its bounds are None with too few rows or days."""

    share: float
    lower: float | None
    upper: float | None


@dataclass(frozen=True)
class Monitored(Record):
    """What a look saw of the champion on rows whose labels matured in its evidence.

    Attributes:
        window: The period of the look; its end is when it looks.
        rows_window: Decision times judged: the window of evidence shifted back by the label delay.
        labelled_rows: Live predictions of the champion in force with a label.
        live: Metric name -> value; `<metric>_lower`, `<metric>_upper` bound it (day blocks).
        probe: Evidence of the probe over the champion; empty when there was too little data.
        drifted_share: Share of features whose drift score passes its threshold.
        prediction_psi: Population stability index of predictions against the champion's holdout, less what chance
            explains at these numbers of rows.
        calibration_gap: Mean of prediction - label; of a multiclass task mean confidence minus accuracy.
        origin: `live` or `backfill`; evidence of a backfill triggers nothing.
        refits: The refits of the probe that were compared with, oldest first.
        excluded: Windows before this one whose rows a person excluded: they were left out.
        classes: Names of the classes; empty where there are none.
        confusion: Rows of each class (outer) by what was predicted (inner), in the order of `classes`.
        by_pinned_features: Whether today's features mean something else than those the champion learned from, so that
            its own were computed and nothing was probed.
        after_promotion: What the promotion of this champion gained; None unless this look is the one that measures it.
        alarm_rate: Of a task of anomalies, how many of the scored rows are alarms; None of others.
        reference_digest: SHA-256 of the kept reference that drift was measured against; empty before there was one.
    """

    window: Window
    rows_window: Window
    model_name: str
    version: int
    labelled_rows: int
    live: dict[str, float | None]
    probe: tuple[Evidence, ...]
    drifted_share: float | None
    drifted_features: tuple[str, ...]
    prediction_psi: float | None
    calibration_gap: float | None
    quality: dict[str, float | None]
    origin: str
    report_uri: str
    metrics_uri: str
    alarms: tuple[Alarm, ...] = ()
    refits: tuple[ProbeRefit, ...] = ()
    excluded: tuple[Window, ...] = ()
    classes: tuple[str, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()
    by_pinned_features: bool = False
    after_promotion: AfterPromotion | None = None
    alarm_rate: AlarmRate | None = None
    reference_digest: str = ""

    @property
    def evidence(self) -> Window:
        """When the labels of the judged rows matured; looks whose evidence does not overlap share no row."""
        return Window(self.rows_window.start + (self.window.end - self.rows_window.end), self.window.end)


TAKE_BACK = "take_back"
"""Kind of an action: the promotion of the champion lost, and probation takes it back."""


@dataclass(frozen=True)
class Action(Record):
    """What triage decided, why, on which evidence.

    Attributes:
        kind: `retrain`, `nothing`, `not_enough_data`, `cooling_down`, `held` or `take_back`.
        reason: Why a training is asked for, by another trigger than the probe; empty when the probe asks, or nothing.
    """

    kind: str
    why: str
    reason_key: str
    cutoff: datetime
    evidence: tuple[Evidence, ...]
    sequence: int | None = None
    reason: str = ""
