"""Point-in-time training set: airloop's retrieval through Feast against as-of joins written by hand in polars."""

from datetime import timedelta

import pandas as pd
import polars as pl
import pyarrow as pa
from deltalake import DeltaTable

from airloop.features.examples import examples, retrieve
from benchmarks.flights import Flights
from benchmarks.row import Row, interleaved
from benchmarks.same_rows import refuse_different
from benchmarks.session import Session

NAME = "training set of the year / as-of joins by hand in polars"
BOUND = 2.0
UNIT = "s"

_VIEWS = {
    "flight_static": ("flight_id", timedelta(days=2)),
    "origin_quarters": ("origin", timedelta(hours=2)),
    "carrier_hours": ("carrier", timedelta(hours=6)),
    "dest_hours": ("dest", timedelta(hours=6)),
    "route_days": ("route", timedelta(days=2)),
    "tail_departures": ("tailnum", timedelta(hours=20)),
    "weather_hours": ("origin", timedelta(hours=6)),
}


def measure(session: Session) -> Row:
    """Both sides take the same examples and end with the same pandas frame."""
    flights = session.flights
    rows = examples(flights.pipeline, flights.span, flights.settings)
    ours = lambda: retrieve(flights.pipeline, rows, flights.settings)  # noqa: E731
    peer = lambda: _by_hand(rows, flights)  # noqa: E731
    refuse_different(ours(), peer(), key=flights.pipeline.prediction.entity_key)
    seconds = interleaved(lambda: ours, lambda: peer)
    note = (
        f"{len(flights.windows)} months, {rows.num_rows:,} rows, {len(_VIEWS)} views, equal. Ours opens and applies "
        "the store and honours corrections; by hand, keys and ttls are written out and corrections forgotten. Reading "
        "the examples and labels is not in it"
    )
    return Row(NAME, *seconds, bound=BOUND, unit=UNIT, note=note)


def _by_hand(rows: pa.Table, flights: Flights) -> pd.DataFrame:
    found = pl.DataFrame(rows).sort("decision_time")
    for view, (key, ttl) in _VIEWS.items():
        table = DeltaTable(flights.view_uri(view)).to_pyarrow_dataset().to_table()
        values = pl.DataFrame(table).drop("month", "created_at").sort("known_at")
        found = found.join_asof(
            values, left_on="decision_time", right_on="known_at", by=key, tolerance=ttl, check_sortedness=False
        ).drop("known_at")
    return found.drop("carrier", "origin", "dest", "route", "tailnum").to_pandas()
