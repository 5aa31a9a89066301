"""What scoring and monitoring hand on."""

from dataclasses import dataclass
from datetime import datetime

from airloop.records.alarm import Alarm
from airloop.records.base import Record, Window
from airloop.records.models import Evidence


@dataclass(frozen=True)
class Scored(Record):
    """Predictions of one model for one window; `appended` is 0 when the window was scored before."""

    window: Window
    version: int
    role: str
    mode: str
    rows: int
    appended: int
    table_version: int


@dataclass(frozen=True)
class Monitored(Record):
    """What was seen of the champion on rows whose labels matured in the window.

    Attributes:
        rows_window: Decision times judged: the window shifted back by the label delay.
        labelled_rows: Live predictions of the champion in force with a label.
        live: Metric name -> value; `<metric>_lower`, `<metric>_upper` bound it (day blocks).
        probe: Evidence of the probe over the champion; empty when there was too little data.
        drifted_share: Share of features whose drift score passes its threshold.
        prediction_psi: Population stability index of predictions against the champion's holdout, less what chance
            explains at these numbers of rows.
        calibration_gap: Mean of prediction - label; of a multiclass task mean confidence minus accuracy.
        origin: `live` or `backfill`; evidence of a backfill triggers nothing.
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


@dataclass(frozen=True)
class Action(Record):
    """What triage decided (`retrain`, `nothing`, `not_enough_data`, `cooling_down`, `held`), why, on which evidence."""

    kind: str
    why: str
    reason_key: str
    cutoff: datetime
    evidence: tuple[Evidence, ...]
    sequence: int | None = None
