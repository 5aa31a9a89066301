"""Feast's batch engine with bulk writers for SQLite and Redis, where the newest known value wins.

`feature_store.yaml` says `batch_engine: {type: airloop.feast_stores.batch_engine.BulkComputeEngine}`. The offline store
reduces the window of a view to the newest row per key, and the rows are written so that a reader cannot tell them from
those of Feast's own `local` engine: the stored bytes are the same. What differs:

- A value older than the stored one never replaces it (stock: on SQLite and PostgreSQL the last writer wins), so windows
  may be materialized in any order. Of equal instants the larger or equal created timestamp wins, null smallest (stock:
  always the last writer; on Redis the first).
- SQLite and Redis: a value that is stored as it is is not written.
- SQLite: a view is published in one transaction, in WAL mode, waiting up to 30 s for another writer. The table has
  two columns more: microseconds of both timestamps.
- Redis: one hash field more per view and key, for the created timestamp.
- Any other store: stock conversion and writing, after reading what is stored. Equal instants are overwritten.
- Integers with nulls are stored exactly (stock: rounded to 53 bits by way of pandas).
- A view that transforms, aggregates, validates, writes offline or derives from views is a ConfigError: features are
  made in build_features.
"""

import logging
from typing import Any, Literal

import pyarrow as pa
from feast import FeatureView
from feast.infra.common.materialization_job import MaterializationJobStatus, MaterializationTask
from feast.infra.compute_engines.local.compute import LocalComputeEngine
from feast.infra.compute_engines.local.job import LocalMaterializationJob
from feast.infra.online_stores.sqlite import SqliteOnlineStore
from feast.infra.registry.base_registry import BaseRegistry
from feast.repo_config import FeastConfigBaseModel
from feast.utils import _get_column_names
from pydantic import PositiveInt

from airloop.errors import ConfigError
from airloop.feast_stores.delta_source import batch_source
from airloop.feast_stores.online_writers import Writer, open_sqlite, write_sqlite, writer_of

logger = logging.getLogger(__name__)

_NOT_COPIED = ("feature_transformation", "aggregations", "enable_validation", "offline", "source_views")


class BulkComputeEngineConfig(FeastConfigBaseModel):
    """The `batch_engine` section.

    Attributes:
        type: Where Feast finds the engine.
        chunk_rows: Rows that are encoded at a time; bounds the memory of a materialization.
    """

    type: Literal["airloop.feast_stores.batch_engine.BulkComputeEngine"] = (
        "airloop.feast_stores.batch_engine.BulkComputeEngine"
    )
    chunk_rows: PositiveInt = 200_000


class BulkComputeEngine(LocalComputeEngine):
    """The engine; historical retrieval is that of `LocalComputeEngine`."""

    def __init__(self, *, chunk_rows: int = 200_000, **feast: Any) -> None:
        super().__init__(**feast)
        self._chunk_rows = chunk_rows

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Put the SQLite online store into WAL mode; Feast calls this in `apply`, once the tables are made."""
        super().update(*args, **kwargs)
        if self._writer() is write_sqlite:
            open_sqlite(SqliteOnlineStore._get_db_path(self.repo_config)).close()

    def _materialize_one(
        self, registry: BaseRegistry, task: MaterializationTask, **kwargs: Any
    ) -> LocalMaterializationJob:
        # An error leaves as it is: Feast restores the view's state and raises it again, with its own type.
        view = task.feature_view
        if unsupported := [name for name in _NOT_COPIED if getattr(view, name, None)]:
            raise ConfigError(
                f"feature view {view.name} declares {', '.join(unsupported)}: features are made in build_features"
            )
        rows = self._newest_rows(registry, task)
        if rows.num_rows:
            batches = rows.combine_chunks().to_batches(max_chunksize=self._chunk_rows)
            self._writer()(self.online_store, self.repo_config, view, batches)
        logger.info("materialized %d keys of %s in [%s, %s)", rows.num_rows, view.name, task.start_time, task.end_time)
        job_id = f"{view.name}-{task.start_time}-{task.end_time}"
        return LocalMaterializationJob(job_id=job_id, status=MaterializationJobStatus.SUCCEEDED)

    def _newest_rows(self, registry: BaseRegistry, task: MaterializationTask) -> pa.Table:
        """Read one row per key; the columns bear the names of the view."""
        view: FeatureView = task.feature_view
        entities = [registry.get_entity(name, task.project) for name in view.entities]
        keys, features, moment, created = _get_column_names(view, entities)
        source = batch_source(view)
        rows: pa.Table = self.offline_store.pull_latest_from_table_or_query(
            self.repo_config, source, keys, features, moment, created, task.start_time, task.end_time
        ).to_arrow()
        return rows.rename_columns([source.field_mapping.get(column, column) for column in rows.column_names])

    def _writer(self) -> Writer:
        return writer_of(self.online_store, self.repo_config)
