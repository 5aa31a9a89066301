"""Materialization of a month of flight_static into SQLite: airloop's engine against stock Feast's."""

import contextlib
import io
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from feast import FeatureStore

from airloop.errors import DataContractError
from airloop.features import feature_store
from benchmarks.flights import Flights, settings_below
from benchmarks.row import Row, Trial, interleaved
from benchmarks.session import Session
from benchmarks.stock_feast import open_stock, write_parquet

NAME = "materialize a month of flight_static / stock Feast"
BOUND = 0.5
UNIT = "s"
_VIEW = "flight_static"


def measure(session: Session) -> Row:
    """Every trial fills an empty online store, opened and applied beforehand; both have to hold the same bytes."""
    flights = session.flights
    parquet = write_parquet(flights)
    own = lambda folder: open_own(flights, folder)  # noqa: E731
    stock = lambda folder: open_stock(flights, folder, parquet=parquet)  # noqa: E731
    rows = _same_rows(flights, own, stock)
    seconds = interleaved(lambda: _trial(flights, own), lambda: _trial(flights, stock))
    note = f"{rows:,} values, the same bytes; the peer is `duckdb` on parquet with the local engine"
    return Row(NAME, *seconds, bound=BOUND, unit=UNIT, note=note)


def open_own(flights: Flights, folder: Path) -> FeatureStore:
    """The demo's feature store with an empty online store of its own in a folder that is made."""
    folder.mkdir()
    own = settings_below(folder)
    places = {"online_store": own.online_store, "feast_registry_url": own.feast_registry_url}
    return feature_store.open_store(flights.pipeline, flights.settings.model_copy(update=places))


def _trial(flights: Flights, open_store: Callable[[Path], FeatureStore], folder: Path | None = None) -> Trial:
    store = open_store(folder or Path(tempfile.mkdtemp(dir=flights.home)) / "store")
    return lambda: materialize(store, flights)


def materialize(store: FeatureStore, flights: Flights) -> None:
    """The second month of flight_static into a store; Feast's lines about it are dropped."""
    window = flights.windows[1]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        store.materialize(window.start, window.end, [_VIEW])


def _same_rows(flights: Flights, own: Callable[[Path], FeatureStore], stock: Callable[[Path], FeatureStore]) -> int:
    contents = []
    for name, open_store in (("own", own), ("stock", stock)):
        folder = flights.home / f"online_{name}"
        _trial(flights, open_store, folder)()
        contents.append(content(next(folder.glob("online*.db")), flights))
    if contents[0] != contents[1] or not contents[0]:
        raise DataContractError(
            f"the online stores differ: ours holds {len(contents[0])} values, stock {len(contents[1])}"
        )
    return len(contents[0])


def content(path: Path, flights: Flights) -> list[tuple[Any, ...]]:
    """Every value of flight_static in a SQLite online store, with key, feature and stamps, in order."""
    table = f"{flights.pipeline.name}_{_VIEW}"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        query = f"SELECT entity_key, feature_name, value, event_ts, created_ts FROM {table} ORDER BY 1, 2"
        return connection.execute(query).fetchall()
