"""One line of JSON per event of a stage's run: START before it works, COMPLETE or FAIL after.

Files lie at `<home>/lineage/<pipeline>/<day>.jsonl` (day of the wall clock, UTC), and leave the machine only when a
person sends them. An event holds names, numbers and column types, never a value of a row, a setting or the message of
an error. A run that did nothing, because its input was done before, has no event. Lineage that cannot be written is
logged, and the stage goes on.
"""

import json
import logging
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from airloop.deployment import Deployment
from airloop.records import Ingested, Record, Window
from airloop.run.lineage.datasets import SPEC, Datasets, facet

logger = logging.getLogger(__name__)

PRODUCER = f"urn:airloop:{version('airloop')}"
_SCHEMA = f"{SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent"


@dataclass
class Run:
    """One run of a stage; `record` is its result, for the last event."""

    at: Deployment
    stage: str
    window: Window
    read: Datasets
    identity: str = field(default_factory=lambda: str(uuid.uuid4()))
    record: Record | None = None


@contextmanager
def stage_run(at: Deployment, stage: str, window: Window, read: Any) -> Iterator[Run]:
    """The events of one run, which the block is; the block sets `record`.

    Args:
        read: The records it is handed, and what it looked up.
    """
    run = Run(at, stage, window, Datasets(at, PRODUCER, described=False))
    with _told(run, "START"):
        run.read.take(read)
        _append(at, _event(run, "START"))
    try:
        yield run
    except BaseException as error:
        with _told(run, "FAIL"):
            _append(at, _event(run, "FAIL", error=error))
        raise
    with _told(run, "COMPLETE"):
        _append(at, _event(run, "COMPLETE"))


@contextmanager
def _told(run: Run, event: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # whatever a store raises: lineage is told, and the stage is what counts
        logger.warning("%s %s: no lineage event %s: %s", run.at.pipeline.name, run.stage, event, error)


def _event(run: Run, event: str, *, error: BaseException | None = None) -> dict[str, Any]:
    written = Datasets(run.at, PRODUCER, described=True)
    if run.record is not None:
        written.take(run.record)
    if isinstance(run.record, Ingested):
        run.read.take_files(run.record.files)
    return {
        "eventType": event,
        "eventTime": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "producer": PRODUCER,
        "schemaURL": _SCHEMA,
        "run": {"runId": run.identity, "facets": _run_facets(run.window, error)},
        "job": {"namespace": "airloop", "name": f"{run.at.pipeline.name}.{run.stage}", "facets": _job_facets(run.at)},
        "inputs": list(run.read),
        "outputs": list(written),
    }


def _run_facets(window: Window, error: BaseException | None) -> dict[str, Any]:
    span = window.to_json()
    nominal = {"nominalStartTime": span["start"], "nominalEndTime": span["end"]}
    facets = {"nominalTime": facet(PRODUCER, "NominalTimeRunFacet", "1-0-1", **nominal)}
    if error is not None:
        kind = {"message": type(error).__name__, "programmingLanguage": "PYTHON"}
        facets["errorMessage"] = facet(PRODUCER, "ErrorMessageRunFacet", "1-0-1", **kind)
    return facets


def _job_facets(at: Deployment) -> dict[str, Any]:
    kind = {"processingType": "BATCH", "integration": "AIRLOOP", "jobType": "STAGE"}
    return {
        "jobType": facet(PRODUCER, "JobTypeJobFacet", "2-0-3", **kind),
        "ownership": facet(PRODUCER, "OwnershipJobFacet", "1-0-1", owners=[{"name": at.pipeline.owner}]),
    }


def _append(at: Deployment, event: dict[str, Any]) -> None:
    line = json.dumps(event, sort_keys=True)
    folder = at.settings.home / "lineage" / at.pipeline.name
    folder.mkdir(parents=True, exist_ok=True)
    # One write to the end of the file: lines of several processes do not mix.
    file = os.open(folder / f"{datetime.now(UTC):%Y-%m-%d}.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, line.encode() + b"\n")
    finally:
        os.close(file)
