"""What happened in one window of a replay, read from the records of the stages."""

from dataclasses import dataclass
from typing import Any

from airloop.config import Pipeline, calendar_windows
from airloop.records import Action, Decision, Monitored, Refitted, Scored, Validated, Window
from airloop.settings import Settings
from airloop.stores import ledger, state
from airloop_platform.replay.questions import Asked, asked


@dataclass(frozen=True)
class Period:
    """One window, as the stages recorded it; a stage that did not run is None, a window without files has no rows.

    Attributes:
        answer: What a person, or the deadline, said to the decision, like `approved by anna`; empty where nobody did.
    """

    window: Window
    rows: int
    refused_rows: int
    scored: Scored | None
    monitored: Monitored | None
    action: Action | None
    decision: Decision | None
    refitted: Refitted | None = None
    asked: Asked | None = None
    answer: str = ""


def period(pipeline: Pipeline, window: Window, settings: Settings) -> Period:
    """The newest record of each stage over the window; `rows` are those of the first declared feed."""
    checked = newest(Validated, "validate_raw", pipeline, window, settings)
    first = next(iter(pipeline.feeds))
    look = look_of(pipeline, window)
    decision = newest(Decision, "decide", pipeline, Window(pipeline.coverage.start, window.end), settings)
    rows = next((check.rows for check in checked.checks if check.table == first), 0) if checked else 0
    return Period(
        window=window,
        rows=rows,
        refused_rows=checked.bad_rows if checked else 0,
        scored=newest(Scored, "score", pipeline, window, settings),
        monitored=newest(Monitored, "monitor", pipeline, look, settings) if look else None,
        action=newest(Action, "triage", pipeline, look, settings) if look else None,
        decision=decision,
        refitted=newest(Refitted, "refit", pipeline, Window(pipeline.coverage.start, window.end), settings),
        asked=asked(pipeline, window, settings),
        answer=_answer(pipeline, decision, settings),
    )


def _answer(pipeline: Pipeline, decision: Decision | None, settings: Settings) -> str:
    if decision is None or decision.sequence is None or not decision.passed:
        return ""
    entry = ledger.history(settings, pipeline.name).answer_to(decision.sequence)
    return f"{entry.kind} by {entry.payload['who']}" if entry else ""


def look_of(pipeline: Pipeline, window: Window) -> Window | None:
    """The newest look of monitoring inside the coverage that ends within a window or with it; None where none does."""
    looks = calendar_windows(pipeline.calendar_of("monitoring"), window)
    ended = [look for look in looks if look.end <= window.end and look.start >= pipeline.coverage.start]
    return ended[-1] if ended else None


def newest(kind: Any, stage: str, pipeline: Pipeline, window: Window, settings: Settings) -> Any:
    """The newest record of a stage over exactly this window, or None."""
    rows = state.latest_records(settings, pipeline.name, stage, window=window)
    return kind.from_json(rows[-1]) if rows else None
