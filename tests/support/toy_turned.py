"""The toy in a world that turns on day 25: a champion of before, a candidate of after, and how to judge them."""

import dataclasses
import json
from pathlib import Path
from typing import Any

from tests.support import ledger_entries, toy
from tests.support.run_plainly import run_plainly

from airloop.deployment import Deployment
from airloop.gate.judge import judge
from airloop.models import evaluate, model_version
from airloop.records import Decision, Evaluated
from airloop.settings import Settings
from airloop.stores.mlflow import model_files, registry, tracking

OLD, NEW = 25, 60
CUTOFF = toy.days(0, NEW)


def write_project(root: Path, repository: Path) -> Settings:
    """Machines bear 15 degrees more from day 25 on: version 1 is champion and was trained before, version 2 after."""
    settings = toy.write_project(root, repository)
    toy.land(settings, days=range(OLD))
    toy.land(settings, days=range(OLD, NEW), shift=15.0)
    toy.run_data(settings, CUTOFF)
    decision = toy.run_training(settings, OLD)
    if not decision.passed:
        raise AssertionError(decision.why)
    put_in_force(settings, 1, OLD)
    toy.run_training(settings, NEW)
    return settings


def upstream(settings: Settings) -> dict[str, Any]:
    """What an evaluation of the candidate reads."""
    return {"snapshot": toy.run("snapshot", settings, CUTOFF, reason="hand", reason_key=""), **trained(settings, NEW)}


def trained(settings: Settings, day: int) -> dict[str, Any]:
    return {"trained": toy.run("train", settings, toy.days(0, day))}


def put_in_force(settings: Settings, version: int, day: int) -> None:
    ledger_entries.put_in_force(settings, "toy", version, toy.days(0, day).end)


def judged(settings: Settings, upstream: dict[str, Any]) -> tuple[Evaluated, Decision]:
    pipeline = toy.toy_pipeline(settings)
    evaluated = run_plainly(evaluate.evaluate, Deployment(pipeline, settings), CUTOFF, **upstream)
    return evaluated, judge(evaluated, pipeline.gate)


def registered(settings: Settings, name: str, *, source: str = "", **changes: Any) -> int:
    """A version like the champion, but for its files or what its snapshot says."""
    client = tracking.client(settings)
    champion = client.get_model_version("toy", "1")
    own = {tracking.INPUT_KEY, registry.DECISION_SEQUENCE, registry.DECISION_HASH}
    own |= {model_version.DIGEST} if source or changes else set()
    tags = {key: value for key, value in champion.tags.items() if key not in own}
    if changes:
        frozen = dataclasses.replace(model_version.version_snapshot(toy.toy_pipeline(settings), 1, settings), **changes)
        record = json.dumps({"snapshot": frozen.to_json()}).encode()
        files = {**model_version.version_files("toy", 1, settings), model_files.RECORD: record}
        model_files.write(files, settings.home / "changed" / name)
        source = str(settings.home / "changed" / name)
    return tracking.register(
        toy.toy_pipeline(settings),
        settings,
        model_uri=source or champion.source,
        run_id=champion.run_id,
        key=name,
        tags=tags,
    )
