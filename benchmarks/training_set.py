"""Point-in-time training set: airloop's retrieval through Feast against as-of joins written by hand in polars."""

from datetime import timedelta

import pandas as pd
import polars as pl
import pyarrow as pa
from deltalake import DeltaTable

from airloop.examples import examples, retrieve
from benchmarks.flights import Flights
from benchmarks.row import Row, interleaved
from benchmarks.same_rows import refuse_different

NAME = "training set of 3 months / polars by hand"
# A guard against regressions, not the aim (2). Measured: 4.5 on a quiet machine, 6.2 on a busy one, where a trial of a
# second meets the others more surely than one of a fifth; 3.6 were the joins in DuckDB plain ASOF, without corrections.
BOUND = 8.0

_VIEWS = {
    "flight_static": ("flight_id", timedelta(days=2)),
    "origin_quarters": ("origin", timedelta(hours=2)),
    "carrier_hours": ("carrier", timedelta(hours=6)),
    "dest_hours": ("dest", timedelta(hours=6)),
    "route_days": ("route", timedelta(days=2)),
    "tail_departures": ("tailnum", timedelta(hours=20)),
    "weather_hours": ("origin", timedelta(hours=6)),
}


def measure(flights: Flights) -> Row:
    """Both sides take the same examples and end with the same pandas frame."""
    rows = examples(flights.pipeline, flights.span, flights.settings)
    ours = lambda: retrieve(flights.pipeline, rows, flights.settings)  # noqa: E731
    peer = lambda: _by_hand(rows, flights)  # noqa: E731
    refuse_different(ours(), peer(), key=flights.pipeline.prediction.entity_key)
    seconds = interleaved(lambda: ours, lambda: peer)
    note = (
        f"{rows.num_rows:,} rows, {len(_VIEWS)} views, equal: the price of Feast, of corrections, of DuckDB instead "
        "of polars; the bound guards against regressions, the aim is 2"
    )
    return Row(NAME, *seconds, bound=BOUND, unit="s", note=note)


def _by_hand(rows: pa.Table, flights: Flights) -> pd.DataFrame:
    found = pl.DataFrame(rows).sort("decision_time")
    for view, (key, ttl) in _VIEWS.items():
        table = DeltaTable(flights.view_uri(view)).to_pyarrow_dataset().to_table()
        values = pl.DataFrame(table).drop("month", "created_at").sort("known_at")
        found = found.join_asof(
            values, left_on="decision_time", right_on="known_at", by=key, tolerance=ttl, check_sortedness=False
        ).drop("known_at")
    return found.drop("carrier", "origin", "dest", "route", "tailnum").to_pandas()
