"""Reading what a Feast data source names: a Delta table of the lake, without DuckDB's delta extension."""

import operator
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import reduce

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError
from feast import FeatureView, RepoConfig
from feast.data_format import DeltaFormat
from feast.data_source import DataSource
from feast.infra.offline_stores import duckdb as stock
from feast.infra.offline_stores.file_source import FileSource

from airloop.errors import ConfigError, DataContractError, UpstreamUnavailable
from airloop.feast_stores.asof_join import INSTANT
from airloop.files import delta_versions
from airloop.files.delta_files import matching


def batch_source(view: FeatureView) -> DataSource:
    """Answer where the history of a view lies.

    Raises:
        ConfigError: The view has none.
    """
    if view.batch_source is None:
        raise ConfigError(f"feature view {view.name} declares no batch source")
    return view.batch_source


def read_source(
    source: DataSource,
    columns: Sequence[str],
    config: RepoConfig,
    *,
    moment: str,
    since: datetime | None,
    until: datetime | None,
) -> pa.Table:
    """Read the rows with `since <= moment < until` of a Delta source, of others as stock Feast does.

    A Delta source is read at its newest version, or at the one at which it is held (airloop.files.delta_versions).

    Args:
        source: A relative path of a Delta source lies below `lake_uri` of the configured offline store.
        columns: What is read.
        config: Its `offline_store` has `lake_uri` and `storage_options`.
        moment: A column of instants; bounds that are None or NaT are open, naive ones are UTC.

    Raises:
        DataContractError: A column is missing.
        UpstreamUnavailable: The Delta table does not exist yet.
    """
    if isinstance(source, FileSource) and isinstance(source.file_format, DeltaFormat):
        table = _open_delta(source.path, config.offline_store.lake_uri, config.offline_store.storage_options)
        schema = table.schema().to_pyarrow()
    else:
        dataset = ds.dataset(stock._read_data_source(source, str(config.repo_path)).to_pyarrow())
        table, schema = None, dataset.schema
    if missing := sorted({*columns, moment} - {*schema.names}):
        raise DataContractError(f"{source.name} has no column {', '.join(missing)}")
    where = _between(schema.field(moment), since, until)
    if table is not None:
        dataset = matching(table, where)
    return dataset.to_table(list(dict.fromkeys(columns)), filter=where)


def _open_delta(path: str, lake_uri: str, storage_options: dict[str, str]) -> DeltaTable:
    # The files of the log, never those of the folder, which holds the files of deleted versions too.
    uri = path if "://" in path or path.startswith("/") else f"{lake_uri.rstrip('/')}/{path}"
    version = delta_versions.held_version(uri)
    missing = f"there is no Delta table at {uri}: run build_features first"
    if version == delta_versions.NOT_WRITTEN:
        raise UpstreamUnavailable(missing)
    try:
        return DeltaTable(uri, version=version, storage_options=storage_options or None)
    except TableNotFoundError as error:
        raise UpstreamUnavailable(missing) from error


def _between(column: pa.Field, since: datetime | None, until: datetime | None) -> ds.Expression | None:
    field, kind = ds.field(column.name), column.type
    if not (pa.types.is_timestamp(kind) and kind.unit == "us"):
        # A cast keeps files from being skipped by their statistics; Delta stores microseconds and needs none.
        field, kind = field.cast(INSTANT, safe=False), INSTANT
    bounds = []
    if not pd.isna(since):
        bounds.append(field >= _scalar(since).cast(kind))
    if not pd.isna(until):
        bounds.append(field < _scalar(until).cast(kind))
    return reduce(operator.and_, bounds) if bounds else None


def _scalar(moment: datetime) -> pa.Scalar:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return pa.scalar(aware.astimezone(UTC), pa.timestamp("us", "UTC"))
