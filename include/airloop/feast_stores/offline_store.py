"""Feast's offline store over the Delta lake: as-of joins in polars, and no DuckDB extension to download.

`feature_store.yaml` says `offline_store: {type: airloop.feast_stores.offline_store.AsofOfflineStore, lake_uri: ...}`; a
source is `FileSource(file_format=DeltaFormat())` with a path below `lake_uri`, any other kind is read by stock Feast.
A value joins an entity row when `timestamp <= entity timestamp` and, if the view has a ttl, `timestamp >= entity
timestamp - ttl`; the newest such value wins, also when it is null. A null key matches nothing, naive timestamps are
UTC. So does Feast's own `duckdb` store, except:

- A window read for materialization is `[start, end)`; stock includes both ends, so that the boundary is in two windows.
- Of equal instants the largest created timestamp wins, null last (as in stock), then the row lying last (stock: any).
- A key that is text on one side and a number on the other is a DataContractError (stock: IbisTypeError), and so is a
  column that is missing or would appear twice.
- Rows out == rows in, in the same order, or DataContractError (stock: any order, no check).
- A Delta table that does not exist is UpstreamUnavailable (stock: duckdb.IOException).
- The join runs in `get_historical_features`, not when the job is read.

Integers with nulls stay integers in `to_arrow()`; Feast's `to_df()` turns them into floats, with every store.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import ibis
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from feast import FeatureView, OnDemandFeatureView, RepoConfig
from feast.data_source import DataSource
from feast.infra.offline_stores import duckdb as stock
from feast.infra.offline_stores.ibis import IbisRetrievalJob
from feast.infra.offline_stores.offline_store import RetrievalJob, RetrievalMetadata
from feast.infra.offline_stores.offline_utils import infer_event_timestamp_from_entity_df
from feast.infra.registry.base_registry import BaseRegistry
from pydantic import Field

from airloop.errors import DataContractError
from airloop.feast_stores.asof_join import History, as_of_lines, latest_lines
from airloop.feast_stores.delta_source import batch_source, read_source


class AsofOfflineStoreConfig(stock.DuckDBOfflineStoreConfig):
    """The `offline_store` section.

    Attributes:
        type: Where Feast finds the store.
        lake_uri: URL or folder below which the relative paths of Delta sources lie.
        storage_options: Credentials and options of object storage, as deltalake takes them.
    """

    type: Literal["airloop.feast_stores.offline_store.AsofOfflineStore"] = (
        "airloop.feast_stores.offline_store.AsofOfflineStore"
    )
    lake_uri: str
    storage_options: dict[str, str] = Field(default_factory=dict)


class AsofOfflineStore(stock.DuckDBOfflineStore):
    """The store; Feast calls its static methods with the signatures of `OfflineStore`."""

    @staticmethod
    def get_historical_features(
        config: RepoConfig,
        feature_views: list[FeatureView],
        feature_refs: list[str],
        entity_df: pd.DataFrame,
        registry: BaseRegistry,
        project: str,
        full_feature_names: bool = False,
        filter_by_created_timestamp: bool = False,
    ) -> RetrievalJob:
        """Append to every entity row the feature values known at its timestamp.

        Args:
            config: Feast's configuration, with this store's section.
            feature_views: The views, each carrying the projection that was asked for.
            feature_refs: `view:feature` names; decides the order of the columns.
            entity_df: The join keys and `event_timestamp` (or exactly one datetime column); rows may repeat, further
                columns are kept, their timestamps in microseconds. Not mutated.
            registry: Where on-demand views are looked up.
            project: The Feast project.
            full_feature_names: Name columns `view__feature`.
            filter_by_created_timestamp: Also require `created <= entity timestamp`, so that a correction counts from
                the moment it was made; a null created timestamp never counts. No effect on views without the column.

        Raises:
            DataContractError: A column is missing or would appear twice, key types differ, or rows were lost.
            UpstreamUnavailable: The Delta table of a view does not exist yet.
        """
        column = infer_event_timestamp_from_entity_df(dict(entity_df.dtypes))
        moments = pd.to_datetime(entity_df[column], utc=True)
        entities = _entities(entity_df, column, moments)
        result = entities
        for view in feature_views:
            lookup = _lookup(view, feature_refs, full_feature_names)
            known = _known_features(lookup, entities, column, config=config, as_known=filter_by_created_timestamp)
            result = _beside(result, known)
        keys = [name for name in entities.column_names if name != column]
        return _FinishedJob(
            result,
            OnDemandFeatureView.get_requested_odfvs(feature_refs, project, registry),
            full_feature_names=full_feature_names,
            repo_path=str(config.repo_path),
            metadata=RetrievalMetadata(feature_refs, keys, moments.min(), moments.max()),
        )

    @staticmethod
    def pull_latest_from_table_or_query(
        config: RepoConfig,
        data_source: DataSource,
        join_key_columns: list[str],
        feature_name_columns: list[str],
        timestamp_field: str,
        created_timestamp_column: str | None,
        start_date: datetime,
        end_date: datetime,
    ) -> RetrievalJob:
        """Read the newest row of each key of what `pull_all_from_table_or_query` reads; it raises the same."""
        columns = (join_key_columns, feature_name_columns, timestamp_field, created_timestamp_column)
        everything = AsofOfflineStore.pull_all_from_table_or_query(config, data_source, *columns, start_date, end_date)
        rows = everything.to_arrow()
        history = History(data_source.name, rows, join_key_columns, timestamp_field, created_timestamp_column)
        return _FinishedJob(rows.take(latest_lines(history)), repo_path=str(config.repo_path))

    @staticmethod
    def pull_all_from_table_or_query(
        config: RepoConfig,
        data_source: DataSource,
        join_key_columns: list[str],
        feature_name_columns: list[str],
        timestamp_field: str,
        created_timestamp_column: str | None = None,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
    ) -> RetrievalJob:
        """Read every row with `start_date <= timestamp < end_date`, in the order of the table.

        Columns are keys, features, timestamp and created timestamp under their names in the source. A bound that is
        None is open.

        Raises:
            DataContractError: A column is missing.
            UpstreamUnavailable: The Delta table does not exist yet.
        """
        columns = [*join_key_columns, *feature_name_columns, timestamp_field, *filter(None, [created_timestamp_column])]
        rows = read_source(data_source, columns, config, moment=timestamp_field, since=start_date, until=end_date)
        return _FinishedJob(rows, repo_path=str(config.repo_path))


class _FinishedJob(IbisRetrievalJob):
    """A result that is there already; Feast's job would send it through ibis and DuckDB once more."""

    def __init__(
        self,
        result: pa.Table,
        on_demand_views: Sequence[OnDemandFeatureView] = (),
        *,
        repo_path: str,
        full_feature_names: bool = False,
        metadata: RetrievalMetadata | None = None,
    ) -> None:
        super().__init__(
            ibis.memtable(result),
            list(on_demand_views),
            full_feature_names,
            metadata=metadata,
            data_source_writer=stock._write_data_source,
            staging_location=None,
            staging_location_endpoint_override=None,
            repo_path=repo_path,
        )
        self._result = result

    def _to_arrow_internal(self, timeout: int | None = None) -> pa.Table:
        return self._result


@dataclass(frozen=True)
class _Lookup:
    """A feature view as the join sees it; the keys of both dictionaries are columns of its source."""

    source: DataSource
    entity_columns: dict[str, str]
    result_columns: dict[str, str]
    moment: str
    created: str | None
    ttl: timedelta | None


def _lookup(view: FeatureView, feature_refs: Sequence[str], full_feature_names: bool) -> _Lookup:
    source = batch_source(view)
    in_source = {name: column for column, name in source.field_mapping.items()}
    prefix = f"{view.projection.name_to_use()}:"
    features = [ref.removeprefix(prefix) for ref in feature_refs if ref.startswith(prefix)]
    shown = f"{view.projection.name_alias or view.name}__" if full_feature_names else ""
    keys = view.projection.join_key_map or {field.name: field.name for field in view.entity_columns}
    return _Lookup(
        source,
        entity_columns={in_source.get(key, key): column for key, column in keys.items()},
        result_columns={in_source.get(name, name): shown + name for name in features},
        moment=in_source.get(source.timestamp_field, source.timestamp_field),
        created=in_source.get(source.created_timestamp_column, source.created_timestamp_column) or None,
        ttl=view.ttl or None,
    )


def _known_features(
    lookup: _Lookup, entities: pa.Table, asked_at: str, *, config: RepoConfig, as_known: bool
) -> pa.Table:
    """Look up one view: one row per entity row, in the same order, null where nothing is known."""
    if missing := sorted({*lookup.entity_columns.values()} - {*entities.column_names}):
        raise DataContractError(f"entity rows have no column {', '.join(missing)}, join key of {lookup.source.name}")
    columns = [*lookup.entity_columns, *lookup.result_columns, lookup.moment, *filter(None, [lookup.created])]
    earliest, latest = pc.min_max(entities[asked_at]).as_py().values()
    since = earliest - lookup.ttl if earliest and lookup.ttl else None
    until = latest + timedelta.resolution if latest else None
    rows = read_source(lookup.source, columns, config, moment=lookup.moment, since=since, until=until)
    history = History(lookup.source.name, rows, list(lookup.entity_columns), lookup.moment, lookup.created)
    questions = entities.select([*lookup.entity_columns.values(), asked_at])
    lines = as_of_lines(history, questions, ttl=lookup.ttl, as_known=as_known)
    if len(lines) != len(entities):
        raise DataContractError(
            f"{len(entities)} entity rows became {len(lines)} in the join with {lookup.source.name}"
        )
    known = rows.select(list(lookup.result_columns)).combine_chunks().take(lines)
    return known.rename_columns(list(lookup.result_columns.values()))


def _entities(frame: pd.DataFrame, column: str, moments: pd.Series) -> pa.Table:
    """The frame with its instants read as `moments`, and all timestamps in microseconds."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    table = table.set_column(table.column_names.index(column), column, pa.Array.from_pandas(moments))
    fields = [
        field.with_type(pa.timestamp("us", field.type.tz)) if pa.types.is_timestamp(field.type) else field
        for field in table.schema
    ]
    return table.cast(pa.schema(fields), safe=False)


def _beside(left: pa.Table, right: pa.Table) -> pa.Table:
    if twice := sorted({*left.column_names} & {*right.column_names}):
        raise DataContractError(
            f"column {', '.join(twice)} would appear twice: rename it or ask for full_feature_names"
        )
    return pa.table([*left.columns, *right.columns], [*left.column_names, *right.column_names])
