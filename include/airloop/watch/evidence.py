"""The evidence of a look: when its rows' labels matured, whose champion it is about, and what of it is left out."""

from dataclasses import dataclass
from datetime import datetime

from airloop.config import Pipeline
from airloop.records import Record, Window
from airloop.settings import Settings
from airloop.stores import alarms, ledger
from airloop.stores.ledger import History
from airloop.watch import rhythm


@dataclass(frozen=True)
class LookedAt(Record):
    """What a look judges.

    Attributes:
        window: When labels matured; see airloop.watch.rhythm.
        since: When the champion came into force; None where the ledger does not say.
        answered_at: The end of the newest evidence of the probe that a decision has answered; None before any.
        excluded: Windows before the look whose rows a person excluded.
    """

    window: Window
    since: datetime | None = None
    answered_at: datetime | None = None
    excluded: tuple[Window, ...] = ()


def evidence_of(pipeline: Pipeline, window: Window, version: int, settings: Settings) -> LookedAt:
    """The evidence of the look of a window at the champion in force at its start."""
    history = ledger.history(settings, pipeline.name)
    in_force = history.in_force(window.start)
    since = in_force.effective_at if in_force else None
    evidence = rhythm.evidence_window(pipeline, window, since)
    decided = rhythm.rows_window(pipeline, evidence)
    before = Window(decided.start, window.start)
    raised = alarms.raised(pipeline, settings, span=before, stages=alarms.DATA_STAGES)
    excluded = {item.window for item in raised if item.answer == alarms.EXCLUDED and item.window.end <= window.start}
    by_time = tuple(sorted(excluded, key=lambda item: item.start))
    return LookedAt(evidence, since, _answered_at(history, version, until=window.start), by_time)


def _answered_at(history: History, version: int, *, until: datetime) -> datetime | None:
    """When the newest decision was made that a probe of this champion had asked for; one about an obstacle is none."""
    answers = (
        entry.effective_at
        for entry in history.of("decision")
        if str(entry.payload["reason_key"]).startswith(f"probe:{version}:")
        and entry.effective_at <= until
        and not entry.payload.get("outside_model", False)
    )
    return max(answers, default=None)
