"""Rows of a view straight into the online store, by the writers of materialization: the newest known value wins."""

import pyarrow as pa
from feast import FeatureStore

from airloop.feast_stores.online_writers import writer_of


def push(store: FeatureStore, view: str, rows: pa.Table) -> None:
    """Write rows, one of each key, as a materialization of them would.

    Args:
        rows: The view's keys and features, and its timestamp columns.

    Raises:
        DataContractError: A key is null.
    """
    online = store._get_provider().online_store
    config, declared = store.config, store.get_feature_view(view)
    writer_of(online, config)(online, config, declared, rows.combine_chunks().to_batches())
