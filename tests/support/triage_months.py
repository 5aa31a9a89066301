"""Monitored months and the policies that read them."""

from datetime import UTC, datetime, timedelta

from airloop.config import TriagePolicy
from airloop.config.monitoring import Monitoring
from airloop.records import Evidence, Monitored, Window
from airloop.watch.triage import Known, triage_window

POLICY = TriagePolicy(
    metric="brier", margin_share=0.0, confidence=0.9, k=1, n=1, min_rows=2000, min_blocks=14, cool_down_days=0
)
TWO_OF_THREE = POLICY.model_copy(update={"k": 2, "n": 3})
ENDS = [datetime(2013, month, 1, tzinfo=UTC) for month in range(2, 10)]


def evidence(**changes):
    values = {"metric": "brier", "gain": 0.004, "lower": 0.001, "upper": 0.007, "confidence": 0.9, "champion": 0.16}
    values |= {"candidate": 0.156, "rows": 25_000, "blocks": 31, "resamples": 200, "seed": 1}
    values |= {"level": 0.004, "sure_lower": changes.get("lower", values["lower"])}
    return Evidence(**{**values, **changes})


def month(number, *, gains=True, **changes):
    """The record of 2013-`number`; the probe is sure to gain, or not."""
    window = Window(ENDS[number - 2], ENDS[number - 1])
    day = timedelta(days=1)
    values = {
        "window": window,
        "rows_window": Window(window.start - day, window.end - day),
        "model_name": "flight_delays",
        "version": 1,
        "labelled_rows": 25_000,
        "live": {"brier": 0.16},
        "probe": (evidence(lower=0.001 if gains else -0.001),),
        "drifted_share": 0.5,
        "drifted_features": (),
        "prediction_psi": 0.1,
        "calibration_gap": 0.0,
        "quality": {},
        "origin": "live",
        "report_uri": "",
        "metrics_uri": "",
    }
    return Monitored(**{**values, **changes})


def watched(policy=POLICY, triggers=None):
    """A monitoring of so many days a probe that every earlier month may say what lasts."""
    values = {"sample_rows": 1, "psi_threshold": 0.2, "probe_every_days": 1, "policy": policy.model_dump()}
    return Monitoring.model_validate(values | ({"triggers": triggers} if triggers else {}))


def judge(newest, before=(), policy=POLICY, *, triggers=None, **known):
    """What triage makes of a look, its past and the policy."""
    return triage_window(newest, Known(before=tuple(before), **known), watched(policy, triggers))
