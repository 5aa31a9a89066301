"""Who is champion at an instant, asked of a ledger of 100,000 entries, against the bound of ten milliseconds."""

import json
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from airloop.records import Action, Check, Decision, Window
from airloop.settings import Settings, load_settings
from airloop.stores import ledger, state, tables
from airloop.stores.ledger import chain
from benchmarks.row import Row
from benchmarks.session import Session

NAME = "who is champion, of a verified ledger of 100,000 entries / ten milliseconds"
BOUND = 1.0
UNIT = "ms"

ENTRIES, BETWEEN_PROMOTIONS, REPEATS = 100_000, 500, 30
BUDGET_MS = 10.0
FIRST = datetime(2013, 1, 1, tzinfo=UTC)
NEWEST = FIRST + timedelta(hours=ENTRIES)


def measure(session: Session) -> Row:
    """Ask as a process that asks again, with half of the ledger's time gone by; say what the first time costs."""
    settings = load_settings(home=session.folder("ledger_age"))
    session.say(f"{ENTRIES:,} entries, a promotion after every {BETWEEN_PROMOTIONS} looks")
    write(settings)
    middle = FIRST + (NEWEST - FIRST) / 2
    first = _milliseconds(lambda: ledger.champion_at(settings, "past", middle), repeats=1)
    again = _milliseconds(lambda: ledger.champion_at(settings, "past", middle), repeats=REPEATS)
    stage = _milliseconds(lambda: ledger.intact_history(settings, "past").champion(middle), repeats=5)
    note = f"median; the first time in a process {first:.0f} ms, a stage's own verification {stage:.0f} ms"
    return Row(NAME, again, BUDGET_MS, BOUND, UNIT, note)


def _milliseconds(ask: Callable[[], object], *, repeats: int) -> float:
    milliseconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        ask()
        milliseconds.append(1000 * (time.perf_counter() - began))
    return statistics.median(milliseconds)


def write(settings: Settings, entries: int = ENTRIES) -> None:
    """A chain as an hourly pipeline of eleven years leaves it, with the records of the stages that wrote it."""
    rows: list[dict[str, Any]] = []
    records: list[dict[str, Any]] = []
    previous, version, decision = chain.FIRST_HASH, 0, 0
    for number in range(1, entries + 1):
        at, place = FIRST + timedelta(hours=number), number % BETWEEN_PROMOTIONS
        if place == 1:
            version, decision = version + 1, number
            kind, payload = "decision", ledger.payload_of(_decision(version, at))
            records.append(_record("decide", at, payload | {"sequence": number}))
        elif place in (2, 3):
            kind = "intended" if place == 2 else "done"
            payload = {"version": version, "previous_version": version - 1 or None, "decision_sequence": decision}
        else:
            window, action = Window(at - timedelta(hours=1), at), Action("nothing", "no gain is sure", "", at, ())
            kind = "triage"
            payload = ledger.payload_of(action) | {"version": version, "window": window.to_json()}
            records.append(_record("triage", at, ledger.payload_of(action) | {"sequence": number}))
        row = {"pipeline": "past", "sequence": number, "previous_hash": previous, "kind": kind}
        row |= {"effective_at": state.instant_text(at), "recorded_at": state.instant_text(at)}
        row |= {"payload": chain.canonical(payload)}
        previous = chain.row_hash(row)
        rows.append(row | {"hash": previous})
    head = {"pipeline": "past", "sequence": entries, "hash": previous}
    with state.transaction(settings) as connection:
        connection.execute(sa.insert(tables.ledger_entries), rows)
        connection.execute(sa.insert(tables.stage_runs), records)
        connection.execute(sa.insert(tables.ledger_heads).values(**head))


def _decision(version: int, at: datetime) -> Decision:
    return Decision(
        model_name="past",
        version=version,
        champion_version=version - 1 or None,
        outcome="passed",
        why="passed: it gains",
        checks=(Check("floor brier", passed=True, observed=0.1, says="Brier 0.1000, must be at most 0.2200"),),
        evidence=(),
        reason="hand",
        reason_key=f"hand:{version}",
        effective_at=at,
    )


def _record(stage: str, at: datetime, record: dict[str, Any]) -> dict[str, Any]:
    return {
        "pipeline": "past",
        "stage": stage,
        "input_key": f"{stage} {record['sequence']}",
        "window_start": state.instant_text(at - timedelta(hours=1)),
        "window_end": state.instant_text(at),
        "record": json.dumps(record, sort_keys=True),
        "finished_at": state.instant_text(at),
    }
