"""Point-in-time training set: airloop's retrieval from the Delta lake against stock Feast's from parquet."""

import pandas as pd
import pyarrow as pa
from feast import FeatureStore

from airloop.examples import examples, retrieve
from airloop.records import Window
from benchmarks.flights import Flights
from benchmarks.row import Row, interleaved
from benchmarks.same_rows import refuse_different
from benchmarks.stock_feast import open_stock, write_parquet

NAME = "training set of 3 months / stock Feast"
# Measured 0.34 on a busy machine; the gain grows with the rows.
BOUND = 0.6


def measure(flights: Flights) -> Row:
    """Both sides take the same examples and end with a pandas frame; only ours opens its store in the time measured."""
    span = Window(flights.windows[0].start, flights.windows[-1].end)
    rows = examples(flights.pipeline, span, flights.settings)
    store = open_stock(flights, flights.home / "stock_retrieval", parquet=write_parquet(flights))
    ours = lambda: retrieve(flights.pipeline, rows, flights.settings)  # noqa: E731
    peer = lambda: _stock_retrieval(store, rows, flights.pipeline.features.service)  # noqa: E731
    mine, theirs = ours(), peer()
    theirs = theirs.rename(columns={"event_timestamp": "decision_time"})[list(mine.columns)]
    refuse_different(mine, theirs, key=flights.pipeline.prediction.entity_key)
    seconds = interleaved(lambda: ours, lambda: peer)
    note = (
        f"{rows.num_rows:,} rows, equal; the peer is the `duckdb` store on parquet of 3 months, opened beforehand; "
        "with ttls of 2 hours to 2 days its join stays small, and what ours gains grows with the rows"
    )
    return Row(NAME, *seconds, bound=BOUND, unit="s", note=note)


def _stock_retrieval(store: FeatureStore, rows: pa.Table, service: str) -> pd.DataFrame:
    asked = rows.to_pandas().rename(columns={"decision_time": "event_timestamp"})
    features = store.get_feature_service(service)
    job = store.get_historical_features(entity_df=asked, features=features, filter_by_created_timestamp=True)
    return job.to_arrow().to_pandas()
