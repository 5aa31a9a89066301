"""`python -m benchmarks.promotions MODEL COUNT SECONDS`: put two versions in force in turn, as a passing gate would.

The first is in force, the second is registered here with its files. Prints how many promotions were made.
"""

import sys
import time
from dataclasses import replace
from datetime import datetime, timedelta

from airloop.config import load_pipeline
from airloop.errors import DataContractError
from airloop.models import recorded_digest
from airloop.records import Decision, Window
from airloop.settings import Settings, load_settings
from airloop.stores import ledger, model_copies, state
from airloop.stores.ledger import Entry, History
from airloop.stores.mlflow import tracking


def main(arguments: list[str]) -> int:
    """Promote until so many are made, or the seconds are over."""
    name, count, seconds = arguments[0], int(arguments[1]), float(arguments[2])
    settings = load_settings()
    history = ledger.history(settings, name)
    champion = in_force(history)
    first, since = int(champion.payload["version"]), champion.effective_at
    twin = _twin(name, first, settings)
    digest = recorded_digest.ledger_digest(settings, name, first)
    decided = replace(Decision.from_json(history.of("decision")[0].payload), model_digest=digest)
    promoted, end = 0, time.monotonic() + seconds
    pause = seconds / count
    while promoted < count and (began := time.monotonic()) < end:
        promoted += 1
        version, before = (twin, first) if promoted % 2 else (first, twin)
        at = since + timedelta(seconds=promoted)
        _promote(settings, name, replace(decided, version=version, champion_version=before, effective_at=at))
        time.sleep(max(0.0, pause - (time.monotonic() - began)))
    sys.stdout.write(f"{promoted}\n")
    return 0


def in_force(history: History) -> Entry:
    """What put the newest champion in force.

    Raises:
        DataContractError: There is none.
    """
    entry = history.in_force()
    if entry is None:
        raise DataContractError("no version is in force: the training's gate has passed none")
    return entry


def _twin(name: str, first: int, settings: Settings) -> int:
    model = tracking.client(settings).get_model_version(name, str(first))
    tags = {key: value for key, value in model.tags.items() if key != tracking.INPUT_KEY}
    pipeline, key = load_pipeline(name, settings), f"twin of {first}"
    twin = tracking.register(pipeline, settings, model_uri=model.source, run_id=model.run_id, key=key, tags=tags)
    model_copies.keep(settings, name, twin, model_copies.kept(settings, name, first))
    return twin


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
