"""Materialization of a month of flight_static that the online store has already, against the one that puts it there."""

import tempfile
from pathlib import Path

from airloop.errors import DataContractError
from benchmarks import materialization
from benchmarks.flights import Flights
from benchmarks.row import Row, Trial, interleaved
from benchmarks.session import Session

NAME = "materialize a month of flight_static again, unchanged / into an empty store"
# Missed: values that are stored are not written, but encoded and compared; to insert them costs hardly more.
BOUND = 0.5
UNIT = "s"


def measure(session: Session) -> Row:
    """Either side reads the month from the lake.

    Raises:
        DataContractError: The second materialization changed what the first has stored.
    """
    flights = session.flights
    _refuse_other_rows(flights)
    seconds = interleaved(lambda: _trial(flights, times=1), lambda: _trial(flights, times=0))
    return Row(NAME, *seconds, bound=BOUND, unit=UNIT, note="of each key one row; both read and reduce the month")


def _trial(flights: Flights, *, times: int) -> Trial:
    """Materializes the month into a store that holds it already, or (0 times) into an empty one."""
    folder = Path(tempfile.mkdtemp(dir=flights.home)) / "store"
    store = materialization.open_own(flights, folder)
    for _ in range(times):
        materialization.materialize(store, flights)
    return lambda: materialization.materialize(store, flights)


def _refuse_other_rows(flights: Flights) -> None:
    contents = []
    for times in (0, 1):
        folder = Path(tempfile.mkdtemp(dir=flights.home)) / "store"
        store = materialization.open_own(flights, folder)
        for _ in range(times + 1):
            materialization.materialize(store, flights)
        contents.append(materialization.content(next(folder.glob("online*.db")), flights))
    if contents[0] != contents[1] or not contents[0]:
        raise DataContractError("materialized again, the online store holds other values")
