"""Feast as it comes: the `duckdb` offline store on parquet, the local engine, SQLite; the pipeline's own views."""

from pathlib import Path

import pyarrow.parquet as pq
from deltalake import DeltaTable
from feast import FeatureService, FeatureStore, FeatureView, FileSource, RepoConfig
from feast.data_format import ParquetFormat

from airloop.features import feature_store
from benchmarks.flights import Flights


def write_parquet(flights: Flights) -> Path:
    """One file per view with the rows of its Delta table, once; the folder."""
    folder = flights.home / "parquet"
    folder.mkdir(exist_ok=True)
    for view in feature_store.view_keys(flights.pipeline, flights.settings):
        path = folder / f"{view}.parquet"
        if not path.exists():
            rows = DeltaTable(flights.view_uri(view)).to_pyarrow_dataset().to_table()
            pq.write_table(rows.drop_columns(["month"]), path)
    return folder


def open_stock(flights: Flights, folder: Path, *, parquet: Path) -> FeatureStore:
    """A store of its own in `folder`, everything applied."""
    folder.mkdir()
    config = RepoConfig(
        project=flights.pipeline.name,
        provider="local",
        registry={"registry_type": "sql", "path": f"sqlite:///{folder}/registry.db", "cache_ttl_seconds": 60},
        offline_store={"type": "duckdb"},
        online_store={"type": "sqlite", "path": f"{folder}/online.db"},
        entity_key_serialization_version=3,
    )
    store = FeatureStore(config=config)
    declared = feature_store.definitions(flights.pipeline, flights.settings)
    entities = {item.name: item for item in declared if not isinstance(item, FeatureView | FeatureService)}
    views = [
        FeatureView(
            name=view.name,
            entities=[entities[name] for name in view.entities],
            ttl=view.ttl,
            schema=view.schema,
            source=_source(parquet / f"{view.name}.parquet"),
        )
        for view in feature_store.views(flights.pipeline, flights.settings)
    ]
    store.apply([*entities.values(), *views, FeatureService(name=flights.pipeline.features.service, features=views)])
    return store


def _source(path: Path) -> FileSource:
    return FileSource(
        name=path.stem,
        path=str(path),
        file_format=ParquetFormat(),
        timestamp_field="known_at",
        created_timestamp_column="created_at",
    )
