"""The rhythm of monitoring: what a look judges, which refits of the probe it compares with, and what it may err.

Looks follow each other more closely than the evidence they rest on: daily looks at four weeks share most of their rows.
Each is one more chance for luck, so a year's looks share one budget of error (alpha spending: Lan and DeMets 1983,
Biometrika 70, 659-663, in equal parts). By the union bound the chance of any training that luck alone asks for is at
most that budget in every year, however much the looks overlap: nothing is assumed of how they depend on each other.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import takewhile

from airloop.config import Pipeline, TriagePolicy
from airloop.config.calendar import Calendar, is_period, period_end, period_start
from airloop.records import Window

LOOKS_A_YEAR: dict[Calendar, int] = {"hourly": 366 * 24, "daily": 366, "weekly": 53, "monthly": 12}
SPENT = 0.6


def level(every: Calendar, policy: TriagePolicy) -> float:
    """The one-sided error that one look may spend.

    The looks of a year share SPENT of the declared bound on false alarms, 1 - confidence. Days that resemble their
    neighbours, or have rare large losses, use up more than their share (see the simulation in
    tests/unit/watch/test_false_alarms.py), and the rest is there for them.
    """
    return SPENT * (1 - policy.confidence) / LOOKS_A_YEAR[every]


def evidence_window(pipeline: Pipeline, window: Window, since: datetime | None) -> Window:
    """When the labels that a look judges matured: the last `over_days` before its end, and at least its own period.

    It does not reach back behind `since`, when the champion came into force, nor the coverage. A window that is no
    period of the monitoring calendar was asked for by hand and is judged alone.
    """
    if not is_period(pipeline.monitoring_calendar, window):
        return window
    since = max(since or pipeline.coverage.start, pipeline.coverage.start)
    start = max(window.end - timedelta(days=pipeline.monitoring.over_days), since)
    return Window(min(start, window.start), window.end)


def rows_window(pipeline: Pipeline, evidence: Window) -> Window:
    """Decision times whose labels matured in `evidence`: it, shifted back by the label delay."""
    delay = pipeline.prediction.label_delay
    return Window(evidence.start - delay, evidence.end - delay)


def next_look(pipeline: Pipeline, window: Window) -> Window | None:
    """The look after this one; None after a window that was asked for by hand."""
    every = pipeline.monitoring_calendar
    return Window(window.end, period_end(every, window.end)) if is_period(every, window) else None


def probe_cutoffs(pipeline: Pipeline, window: Window, since: datetime | None) -> tuple[datetime, ...]:
    """The refits of the probe that a look compares with, oldest first: each serves the rows from it to the next.

    They lie `probe_every_days` apart, each on the start of a look, the first on the first look that starts once the
    champion is in force. A window asked for by hand has one, at its start.
    """
    evidence = evidence_window(pipeline, window, since)
    if not is_period(pipeline.monitoring_calendar, window):
        return (window.start,)
    first = max(since or pipeline.coverage.start, pipeline.coverage.start)
    cutoffs = list(takewhile(lambda cutoff: cutoff < window.end, _grid(pipeline, first)))
    serving = max((cutoff for cutoff in cutoffs if cutoff <= evidence.start), default=evidence.start)
    return tuple(cutoff for cutoff in cutoffs if cutoff >= serving)


def _grid(pipeline: Pipeline, first: datetime) -> Iterator[datetime]:
    every, days = pipeline.monitoring_calendar, timedelta(days=pipeline.monitoring.probe_days)
    cutoff = period_start(every, first)
    cutoff = cutoff if cutoff >= first else period_end(every, cutoff)
    while True:
        yield cutoff
        due = cutoff + days
        cutoff = period_end(every, cutoff)
        if cutoff < due:
            start = period_start(every, due)
            cutoff = start if start >= due else period_end(every, start)
