"""The gate's promises, kept or not: what a promotion gained on the first rows after it, beside what the gate measured.

The gate judges on a holdout; what it passes then meets rows that nobody had seen. Monitoring compares the new champion
there with the one that it replaced, on the same rows, by the evidence function of the gate.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from airloop.config import METRICS
from airloop.records import Evidence
from airloop.settings import Settings
from airloop.stores.ledger.entry import Entry
from airloop.stores.ledger.history import History
from airloop.stores.ledger.queries import entries

MEASURED = "measured"
"""Kind of the ledger's entry."""

KEPT, LESS, LOST, UNSURE, UNKNOWN = "kept", "less than promised", "a loss", "not sure", "not measured"


def to_be_measured(settings: Settings, pipeline: str, history: History, start: datetime, end: datetime) -> Entry | None:
    """The promotion whose gain the look over `[start, end)` is to measure; None where an earlier look has, or none is.

    A first champion replaced nobody, and a rollback promises nothing.
    """
    promotion = history.in_force(start)
    if promotion is None or promotion.kind != "done" or not promotion.payload.get("previous_version"):
        return None
    measured = entries(settings, pipeline, kind=MEASURED)
    earlier = (entry for entry in measured if entry.payload.get("promotion") == promotion.sequence)
    return None if any(entry.effective_at < end for entry in earlier) else promotion


def promised(history: History, decision_sequence: int, metric: str) -> Evidence | None:
    """What the gate measured on the holdout before it let the version pass; None where it judged by floors only."""
    decision = history.decision(decision_sequence)
    return evidence_in(decision.payload, metric) if decision else None


def evidence_in(payload: Mapping[str, Any], metric: str) -> Evidence | None:
    """The evidence on a metric that a payload holds."""
    of_metric = (item for item in payload.get("evidence") or () if item["metric"] == metric)
    item = next(of_metric, None)
    return Evidence.from_json(item) if item else None


def loss(evidence: Iterable[Evidence], metric: str) -> Evidence | None:
    """The evidence on a metric where it shows a sure loss, its whole interval below 0; None where it does not."""
    return next((item for item in evidence if item.metric == metric and item.upper < 0), None)


def verdict(promise: Evidence | None, measured: Evidence | None) -> str:
    """One word or two about a promise.

    - a loss: the interval of what was measured lies below 0;
    - less than promised: it lies below the interval that was promised;
    - kept: it lies above 0, and not below what was promised;
    - not sure: it holds 0, and not all of it lies below what was promised.
    """
    if measured is None:
        return UNKNOWN
    if loss([measured], measured.metric):
        return LOST
    if promise is not None and measured.upper < promise.lower:
        return LESS
    return KEPT if measured.lower > 0 else UNSURE


def in_words(promise: Evidence | None, measured: Evidence | None, *, why_not: str = "") -> str:
    """The verdict with both intervals, in the unit of the metric."""
    if measured is None:
        return f"{UNKNOWN}: {why_not}"
    name = METRICS[measured.metric].title
    stood = "the gate had judged by floors only" if promise is None else f"the gate had measured {_interval(promise)}"
    return f"{verdict(promise, measured)}: {_interval(measured)} in {name} on the first rows after it; {stood}"


def newest_of_each(history: Iterable[Entry]) -> dict[int, Entry]:
    """Number of a promotion -> the newest `measured` entry about it: a window that was corrected is measured again."""
    about = ((entry.payload.get("promotion"), entry) for entry in history if entry.kind == MEASURED)
    return {number: entry for number, entry in about if isinstance(number, int)}


def track_record(history: Sequence[Entry]) -> str:
    """How good the gate's word was so far, in one sentence; empty before the first promotion was measured."""
    counted = Counter(str(entry.payload.get("verdict")) for entry in newest_of_each(history).values())
    if not counted:
        return ""
    total = sum(counted.values())
    words = ", ".join(f"{counted[word]} {word}" for word in (KEPT, UNSURE, LESS, LOST, UNKNOWN) if counted[word])
    return f"{total} promotion{'s' if total > 1 else ''} measured on the first rows after: {words}"


def _interval(evidence: Evidence) -> str:
    return f"{evidence.gain:+.4f} [{evidence.lower:+.4f}, {evidence.upper:+.4f}]"
