"""What a bell costs that finds nothing new, after years of landed files: one listing, and little more."""

import gc
import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import fsspec
import sqlalchemy as sa

from airloop.config import Pipeline, load_pipeline
from airloop.data import settled
from airloop.data.inbox import waiting_windows
from airloop.records import Ingested, LandedFile, Window
from airloop.settings import Settings, load_settings
from airloop.stores import landed_files, state, tables
from benchmarks.row import Row, Trial, interleaved
from benchmarks.session import Session

NAME = "a bell with nothing new among 20,000 landed files / one listing of their folder"
# Beside the listing: names into periods, periods into windows, and one look into what is remembered of each.
BOUND = 8.0
UNIT = "s"

FILES = 20_000
FEED = "departures"
FIRST = datetime(2013, 1, 1, tzinfo=UTC)


def measure(session: Session) -> Row:
    """Ask what waits of a pipeline of daily windows, every one ingested."""
    home = session.folder("bell_age")
    settings = load_settings(home=home)
    pipeline = _daily(load_pipeline("flight_delays", load_settings()))
    session.say(f"{FILES:,} files of a day each, landed and ingested")
    folder = _land(settings)
    _ingest(pipeline, settings)
    # Files that landed a moment ago are not trusted yet.
    settled._SURE_AFTER_SECONDS = 0.0
    waiting_windows(pipeline, settings)
    gc.freeze()  # as Airflow's executor does before it forks what runs this

    def bell() -> Trial:
        return lambda: waiting_windows(pipeline, settings)

    def listing() -> Trial:
        system = fsspec.filesystem("file")
        return lambda: tuple(system.ls(str(folder), detail=True)) and ()

    ours, peer = interleaved(bell, listing, repeats=5)
    gc.unfreeze()
    return Row(
        NAME, ours, peer, BOUND, UNIT, "waiting_windows of a daily pipeline against fsspec's ls of the same folder"
    )


def _daily(pipeline: Pipeline) -> Pipeline:
    coverage = pipeline.coverage.model_copy(update={"end": None})
    return pipeline.model_copy(update={"calendar": "daily", "coverage": coverage})


def _land(settings: Settings) -> Path:
    folder = settings.home / "landing" / "flight_delays" / FEED
    folder.mkdir(parents=True)
    for number in range(FILES):
        (folder / f"{FIRST + timedelta(days=number):%Y-%m-%d}.csv").write_text("x")
    return folder


def _ingest(pipeline: Pipeline, settings: Settings) -> None:
    sha256 = hashlib.sha256(b"x").hexdigest()
    by_window: dict[Window, list[LandedFile]] = {}
    for file in landed_files.list_files(pipeline, settings):
        span = landed_files.file_span(pipeline.feeds[FEED], file.name)
        for day in (span.start, span.end) if span else ():
            start = day.replace(hour=0)
            window = Window(start, start + timedelta(days=1))
            by_window.setdefault(window, []).append(LandedFile(FEED, file.uri, sha256, 1))
    rows = [_row(window, files) for window, files in by_window.items()]
    with state.transaction(settings) as connection:
        connection.execute(sa.insert(tables.stage_runs), rows)


def _row(window: Window, files: list[LandedFile]) -> dict[str, str]:
    record = Ingested(window=window, files=tuple(files), tables=(), missing=())
    return {
        "pipeline": "flight_delays",
        "stage": "ingest",
        "input_key": str(window),
        "window_start": state.instant_text(window.start),
        "window_end": state.instant_text(window.end),
        "record": json.dumps(record.to_json(), sort_keys=True),
        "finished_at": state.instant_text(datetime.now(UTC)),
    }
