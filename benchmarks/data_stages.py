"""The data stages of a month through stage_run against the same functions called one after the other."""

import json
import tempfile
from pathlib import Path
from typing import Any

from airloop.deployment import Deployment
from airloop.errors import DataContractError
from airloop.records import Record, Window
from airloop.run import stage_run, stages
from airloop.run.code_digest import code_digest
from benchmarks.flights import DATA_STAGES, Flights, RunStage, run_data, settings_below
from benchmarks.row import Row, Trial, interleaved
from benchmarks.session import Session

NAME = "data stages of a month through stage_run / plain calls"
BOUND = 1.2
UNIT = "s"


def measure(session: Session) -> Row:
    """Every trial builds an empty lake from the files of January; both have to give the same records."""
    flights = session.flights
    _refuse_other_records(flights)
    seconds = interleaved(lambda: _trial(flights, _as_task), lambda: _trial(flights, _plain))
    note = f"{len(DATA_STAGES)} stages, equal records: what input keys, locks and stored records cost"
    return Row(NAME, *seconds, bound=BOUND, unit=UNIT, note=note)


def _as_task(name: str, *stage: Any, **options: Any) -> Record:
    # Each Airflow task is a process of its own and reads the code once more.
    code_digest.cache_clear()
    return stage_run.run_stage(name, *stage, **options)


def _plain(name: str, at: Deployment, window: Window, *, upstream: dict[str, Record]) -> Record:
    stage = stages.find_stage(name)
    arguments = stage.handed(upstream)
    return stage_run.work(stage, at, window, stage_run.looked_up(stage, at, window, arguments), arguments)


def _trial(flights: Flights, run: RunStage) -> Trial:
    settings = settings_below(Path(tempfile.mkdtemp(dir=flights.home)), landing_uri=flights.settings.landing_uri)
    return lambda: run_data(flights.pipeline, flights.windows[0], settings, run=run)


def _refuse_other_records(flights: Flights) -> None:
    texts = []
    for run in (_as_task, _plain):
        home = Path(tempfile.mkdtemp(dir=flights.home)).resolve()
        settings = settings_below(home, landing_uri=flights.settings.landing_uri)
        records = run_data(flights.pipeline, flights.windows[0], settings, run=run)
        content = {name: record.to_json() for name, record in records.items()}
        texts.append(json.dumps(content, sort_keys=True).replace(str(home), "<home>"))
    if texts[0] != texts[1]:
        raise DataContractError("stage_run and plain calls of the same stages gave different records")
