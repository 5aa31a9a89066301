"""A gate, and an evaluation that passes it: what every test of the gate changes one thing of."""

from datetime import UTC, datetime

from airloop.config import Comparison, Floor
from airloop.config.gate import Gate
from airloop.records import Evaluated, Evidence, Window

CUTOFF = datetime(2013, 4, 1, tzinfo=UTC)
WINDOW = Window(datetime(2013, 1, 1, tzinfo=UTC), CUTOFF)
GATE = Gate(
    floors=(Floor(metric="roc_auc", at_least=0.65), Floor(metric="brier", at_most=0.22)),
    compare=Comparison(
        metric="brier",
        superior_margin_share=0.0,
        non_inferior_margin_share=0.05,
        confidence=0.95,
        resamples=200,
        min_blocks=14,
        rule={"probe": "non_inferior", "default": "superior"},
    ),
)


def evidence(**changes):
    values = {"metric": "brier", "gain": 0.0100, "lower": 0.0020, "upper": 0.0180, "confidence": 0.95}
    values |= {"champion": 0.1600, "candidate": 0.1500, "rows": 18_000, "blocks": 21, "resamples": 200, "seed": 1}
    return Evidence(**{**values, **changes})


def evaluated(**changes):
    values = {
        "model_name": "flight_delays",
        "version": 2,
        "champion_version": 1,
        "metrics": {"roc_auc": 0.74, "brier": 0.15},
        "champion_metrics": {"roc_auc": 0.70, "brier": 0.16},
        "evidence": (evidence(),),
        "holdout": Window(datetime(2013, 3, 10, tzinfo=UTC), datetime(2013, 3, 31, tzinfo=UTC)),
        "holdout_rows": 18_000,
        "cutoff": CUTOFF,
        "reason": "schedule",
        "reason_key": "schedule:2013-04",
        "problems": (),
    }
    return Evaluated(**{**values, **changes})
