"""Point-in-time training set: airloop's retrieval from the Delta lake against stock Feast's from parquet."""

import pandas as pd
import pyarrow as pa
from feast import FeatureStore

from airloop.features.examples import examples, retrieve
from benchmarks.row import Row, interleaved
from benchmarks.same_rows import refuse_different
from benchmarks.session import Session
from benchmarks.stock_feast import open_stock, write_parquet

NAME = "training set of the year / stock Feast"
BOUND = 0.2
UNIT = "s"


def measure(session: Session) -> Row:
    """Both sides take the same examples and end with a pandas frame; only ours opens its store in the time measured."""
    flights = session.flights
    rows = examples(flights.pipeline, flights.span, flights.settings)
    store = open_stock(flights, flights.home / "stock_retrieval", parquet=write_parquet(flights))
    ours = lambda: retrieve(flights.pipeline, rows, flights.settings)  # noqa: E731
    peer = lambda: _stock_retrieval(store, rows, flights.pipeline.features.service)  # noqa: E731
    mine, theirs = ours(), peer()
    theirs = theirs.rename(columns={"event_timestamp": "decision_time"})[list(mine.columns)]
    refuse_different(mine, theirs, key=flights.pipeline.prediction.entity_key)
    # A trial of the peer takes most of a minute on the year: two of each.
    seconds = interleaved(lambda: ours, lambda: peer, repeats=2)
    note = (
        f"{len(flights.windows)} months, {rows.num_rows:,} rows, equal; the peer is the `duckdb` store on parquet, "
        "opened beforehand, ours opens its own. Stock joins every value within the ttl before it picks one: longer "
        "ttls widen the gap, fewer months narrow it"
    )
    return Row(NAME, *seconds, bound=BOUND, unit=UNIT, note=note)


def _stock_retrieval(store: FeatureStore, rows: pa.Table, service: str) -> pd.DataFrame:
    asked = rows.to_pandas().rename(columns={"decision_time": "event_timestamp"})
    features = store.get_feature_service(service)
    job = store.get_historical_features(entity_df=asked, features=features, filter_by_created_timestamp=True)
    return job.to_arrow().to_pandas()
