"""Entries of a ledger with all that stands behind them: records of decide and triage, decisions before promotions."""

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.toy import START

from airloop.records import Action, Check, Decision, Evidence, Window
from airloop.settings import Settings
from airloop.stores import ledger, state
from airloop.stores.ledger import Entry


def decision(version: int, *, at: datetime, champion: int | None = None, **changes: Any) -> Decision:
    """A decision that passed, with one check."""
    values: dict[str, Any] = {
        "model_name": "toy",
        "version": version,
        "champion_version": champion,
        "outcome": "passed",
        "why": "passed: it gains",
        "checks": (Check("floor brier", passed=True, observed=0.1, says="Brier 0.1000, must be at most 0.2200"),),
        "evidence": (),
        "reason": "hand",
        "reason_key": f"hand:{at:%Y-%m-%d}:{version}",
        "effective_at": at,
    }
    return Decision(**{**values, **changes})


def record(settings: Settings, pipeline: str, judged: Decision) -> Decision:
    """Append a decision and keep the record of decide that names it, as its stage does."""
    payload = ledger.payload_of(judged)
    entry = ledger.append(settings, pipeline, kind="decision", effective_at=judged.effective_at, payload=payload)
    judged = replace(judged, sequence=entry.sequence)
    save(settings, pipeline, "decide", judged.effective_at, judged.to_json())
    return judged


def decided(settings: Settings, pipeline: str, version: int, *, at: datetime, **changes: Any) -> int:
    """The number of a decision that passed."""
    return record(settings, pipeline, decision(version, at=at, **changes)).sequence or 0


def put_in_force(
    settings: Settings, pipeline: str, version: int, at: datetime, *, previous: int | None = None, **changes: Any
) -> Entry:
    """Decide about a version and promote it; returns `done`. The registry's alias is left alone."""
    number = decided(settings, pipeline, version, at=at, champion=previous, **changes)
    begin(settings, pipeline, version, number, at=at, previous=previous)
    return act(settings, pipeline, "done", version, number, at=at, previous=previous)


def two_champions(settings: Settings) -> None:
    """The toy's versions 1 and 2 in force from its first and its eleventh day on: six entries."""
    for day, version in ((0, 1), (10, 2)):
        at = START + timedelta(days=day)
        put_in_force(settings, "toy", version, at, previous=version - 1 or None)


def run_sql(settings: Settings, statement: str) -> None:
    """What somebody with the state database's file can do to it."""
    connection = sqlite3.connect(settings.home / "state.db")
    with connection:
        connection.execute(statement)
    connection.close()


def begin(
    settings: Settings, pipeline: str, version: int, number: int, *, at: datetime, previous: int | None = None
) -> Entry:
    """The `intended` entry of a decision."""
    return act(settings, pipeline, "intended", version, number, at=at, previous=previous)


def act(
    settings: Settings, pipeline: str, kind: str, version: int, number: int, *, at: datetime, previous: int | None
) -> Entry:
    """An entry that acts on a decision."""
    payload = {"model_name": pipeline, "version": version, "previous_version": previous, "decision_sequence": number}
    return ledger.append(settings, pipeline, kind=kind, effective_at=at, payload=payload)


def triaged(
    settings: Settings,
    pipeline: str,
    at: datetime,
    *,
    champion: int | None,
    kind: str = "retrain",
    on_record: bool = True,
    evidence: Sequence[Evidence] = (),
    reason: str = "",
) -> Entry:
    """What triage says of the day that ends at an instant, with its record; the reason's key is `probe:VERSION:END`.

    Args:
        reason: Of another trigger than the probe; its key starts with it.
    """
    window = Window(at - timedelta(days=1), at)
    key = f"{reason or 'probe'}:{champion}:{window.to_json()['end']}" if kind == "retrain" else ""
    action = Action(kind, f"{kind}, because", key, at, tuple(evidence), reason=reason)
    payload = ledger.payload_of(action) | {"version": champion, "window": window.to_json()}
    entry = ledger.append(settings, pipeline, kind="triage", effective_at=at, payload=payload)
    if on_record:
        save(settings, pipeline, "triage", at, replace(action, sequence=entry.sequence).to_json())
    return entry


def save(settings: Settings, pipeline: str, stage: str, end: datetime, content: dict[str, Any]) -> None:
    """A stage's record over the day that ends at an instant."""
    window = Window(end - timedelta(days=1), end)
    key = f"{stage} {content.get('sequence')} {datetime.now(UTC)}"
    state.save_record(settings, pipeline, stage, input_key=key, window=window, record=content)
