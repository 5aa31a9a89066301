"""`python -m benchmarks.promotions MODEL COUNT SECONDS`: put two versions in force in turn, as a passing gate would.

The second one is registered here with the first one's files. Prints how many promotions were made.
"""

import sys
import time
from dataclasses import replace
from datetime import datetime, timedelta

from airloop.config import load_pipeline
from airloop.records import Decision, Window
from airloop.settings import Settings, load_settings
from airloop.stores import ledger, model_copies, state
from airloop.stores.mlflow import tracking

FIRST, TWIN = 1, 2


def main(arguments: list[str]) -> int:
    """Promote until so many are made, or the seconds are over."""
    name, count, seconds = arguments[0], int(arguments[1]), float(arguments[2])
    settings = load_settings()
    _twin(name, settings)
    first = ledger.history(settings, name).of("decision")[0]
    decided = Decision.from_json(first.payload)
    made, end = 0, time.monotonic() + seconds
    pause = seconds / count
    while made < count and (began := time.monotonic()) < end:
        made += 1
        version, before = (TWIN, FIRST) if made % 2 else (FIRST, TWIN)
        at = decided.effective_at + timedelta(seconds=made)
        _promote(settings, name, replace(decided, version=version, champion_version=before, effective_at=at))
        time.sleep(max(0.0, pause - (time.monotonic() - began)))
    sys.stdout.write(f"{made}\n")
    return 0


def _twin(name: str, settings: Settings) -> None:
    client = tracking.client(settings)
    if len(client.search_model_versions(f"name = '{name}'")) >= TWIN:
        return
    first = client.get_model_version(name, str(FIRST))
    tags = {key: value for key, value in first.tags.items() if key != tracking.INPUT_KEY}
    pipeline = load_pipeline(name, settings)
    version = tracking.register(pipeline, settings, model_uri=first.source, run_id=first.run_id, key="twin", tags=tags)
    model_copies.keep(settings, name, version, model_copies.kept(settings, name, FIRST))


def _promote(settings: Settings, name: str, decision: Decision) -> None:
    """The three entries of a promotion, and the record of the decision that founds it."""
    at: datetime = decision.effective_at
    payload = ledger.payload_of(decision)
    entry = ledger.append(settings, name, kind="decision", effective_at=at, payload=payload)
    record = replace(decision, sequence=entry.sequence).to_json()
    window, key = Window(at - timedelta(days=1), at), f"promotion {entry.sequence}"
    state.save_record(settings, name, "decide", input_key=key, window=window, record=record)
    moved = {"model_name": name, "version": decision.version, "previous_version": decision.champion_version}
    for kind in ("intended", "done"):
        payload = {**moved, "decision_sequence": entry.sequence, "model_digest": decision.model_digest}
        ledger.append(settings, name, kind=kind, effective_at=at, payload=payload)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
