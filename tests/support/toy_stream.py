"""The toy whose heat comes as a stream: each measurement an event, its value online at once."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.support import toy, toy_sql

from airloop.config import Pipeline
from airloop.settings import Settings
from airloop.sources.streams.consumer import Consumer
from airloop.sources.streams.declared import Stream, open_broker, stream_of

NAME = "toy.heat"
OPTIONS = "{online: [machine_heat], entity: [machine], late: is_late, land_rows: 1000}"
EDITS = (
    (
        '{files: "{day}.csv", key: [machine, measured_at], event_time: measured_at, delay_minutes: 1,\n'
        "     columns: {machine: string, measured_at: timestamp, celsius: float}}",
        "{source: {kind: stream, connection: events, options: OPTIONS}, key: [machine, measured_at],\n"
        "     event_time: measured_at, known_at: arrived_at, empty_windows: normal,\n"
        "     columns: {machine: string, measured_at: timestamp, celsius: float, arrived_at: timestamp,"
        " is_late: boolean}}",
    ),
    ("coverage: {start: 2020-01-01, end: 2020-03-01}", "coverage: {start: 2020-01-01}"),
)
RULES = (
    "  heat:\n    - {type: expect_column_values_to_not_be_null, kwargs: {column: machine}, severity: critical}\n",
    "  heat:\n    - {type: expect_column_values_to_not_be_null, kwargs: {column: machine}, severity: critical}\n"
    "    - {type: expect_column_values_to_not_be_null, kwargs: {column: celsius}, severity: critical}\n"
    "    - {type: expect_column_values_to_be_between, kwargs: {column: celsius, min_value: -50, max_value: 150},"
    " severity: critical}\n",
)
VIEW = (
    "SELECT machine, celsius, known_at, created_at FROM heat;",
    "SELECT machine, celsius * 1.5 AS celsius, known_at, created_at FROM heat WHERE NOT is_late;",
)


def write_project(root: Path, repository: Path, url: str, options: str = OPTIONS) -> Settings:
    """The toy's project; its stream is at the Redis server of `url`."""
    settings = toy.write_project(root, repository)
    for old, new in EDITS:
        toy_sql.declare(settings, old, new.replace("OPTIONS", options))
    edit(settings, "expectations.yaml", *RULES)
    edit(settings, "features.sql", *VIEW)
    return settings.model_copy(update={"connections": {"events": url}})


def edit(settings: Settings, file: str, old: str, new: str) -> None:
    """Edit a text of the toy that stands in a file once."""
    path = settings.pipelines_dir / "toy" / file
    text = path.read_text()
    if text.count(old) != 1:
        raise ValueError(f"{file} holds {old!r} {text.count(old)} times")
    path.write_text(text.replace(old, new))


def stream(settings: Settings) -> Stream:
    pipeline: Pipeline = toy.toy_pipeline(settings)
    return stream_of(pipeline, "heat")


def consumer(settings: Settings) -> Consumer:
    declared = stream(settings)
    return Consumer(declared, open_broker(declared, settings), settings)


def event(machine: str, celsius: float | None, *, ago: float = 0, **more: Any) -> bytes:
    """A measurement so many seconds ago."""
    at = (datetime.now(UTC) - timedelta(seconds=ago)).replace(microsecond=0)
    return json.dumps({"machine": machine, "measured_at": toy.text(at), "celsius": celsius, **more}).encode()


def send(settings: Settings, payloads: Iterable[bytes]) -> None:
    broker = open_broker(stream(settings), settings)
    broker.send(list(payloads))
    broker.close()


def consume(settings: Settings, *, land: bool = True) -> Consumer:
    """A consumer that has taken all there is, landed it, and gone."""
    consuming = consumer(settings)
    while consuming.step(0.01):
        pass
    if land:
        consuming.land()
    consuming.close()
    return consuming


def landed_lines(settings: Settings) -> list[str]:
    """The rows that landed, file by file in the order in which they are read."""
    folder = Path(settings.landing_uri) / "toy" / "heat"
    return [line for path in sorted(folder.glob("*.csv")) for line in path.read_text().splitlines()[1:]]
