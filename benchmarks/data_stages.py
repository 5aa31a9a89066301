"""The data stages of a month through stage_run against the same functions called one after the other."""

import json
import tempfile
from pathlib import Path
from typing import Any

from airloop import stage_run
from airloop.config import Pipeline
from airloop.errors import DataContractError
from airloop.records import Record, Window
from airloop.settings import Settings
from benchmarks.flights import DATA_STAGES, Flights, RunStage, run_data, settings_below
from benchmarks.row import Row, Trial, interleaved

NAME = "data stages of a month through stage_run / plain calls"
BOUND = 1.2


def measure(flights: Flights) -> Row:
    """Every trial builds an empty lake from the files of January; both have to give the same records."""
    _refuse_other_records(flights)
    seconds = interleaved(lambda: _trial(flights, _as_task), lambda: _trial(flights, _plain))
    note = f"{len(DATA_STAGES)} stages, {_megabytes(flights):.0f} MB landed: what input keys, locks and records cost"
    return Row(NAME, *seconds, bound=BOUND, unit="s", note=note)
