import sqlite3
import time
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
from feast.data_format import DeltaFormat, ParquetFormat
from feast.types import Array, Bool, Bytes, Float32, Float64, Int32, Int64, String, UnixTimestamp

from airloop.errors import ConfigError, DataContractError
from airloop.feast_stores import online_table, online_writers

pytestmark = [
    # Feast's own duckdb store, the reference here, goes through ibis 12, which calls a method DuckDB 2 renamed.
    pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning"),
]

STAMP = pa.timestamp("us", "UTC")
OWN_ENGINE = {"type": "airloop.feast_stores.batch_engine.BulkComputeEngine", "chunk_rows": 3}
STOCK_ENGINE = {"type": "local"}


def at(day, hour=0):
    return datetime(2013, 1, day, hour, tzinfo=UTC)


def history(rows):
    """Rows of (key, known_at, created_at, v)."""
    keys, known_at, created_at, values = zip(*rows, strict=True)
    stamps = {"known_at": pa.array(known_at, STAMP), "created_at": pa.array(created_at, STAMP)}
    return pa.table({"k": pa.array(keys, pa.string()), **stamps, "v": pa.array(values, pa.int64())})


def open_store(folder, table, *, features=None, engine=OWN_ENGINE, online=None, **view):
    """A store over `table`: of airloop's making, or of stock Feast when the engine is."""
    features = features or {"v": Int64}
    stamps = {"timestamp_field": "known_at", "created_timestamp_column": "created_at"}
    if engine == STOCK_ENGINE:
        pq.write_table(table, folder / "values.parquet")
        source = FileSource(path=str(folder / "values.parquet"), file_format=ParquetFormat(), **stamps)
        offline = {"type": "duckdb"}
    else:
        write_deltalake(str(folder / "lake" / "values"), table, mode="overwrite")
        source = FileSource(path="values", file_format=DeltaFormat(), **stamps)
        offline = {"type": "airloop.feast_stores.offline_store.AsofOfflineStore", "lake_uri": str(folder / "lake")}
    online = {"type": "sqlite", "path": str(online_path(folder, engine)), **(online or {})}
    registry = str(folder / f"{engine['type']}.db")
    stores = {"offline_store": offline, "online_store": online, "batch_engine": engine}
    config = RepoConfig(project="p", provider="local", registry=registry, **stores)
    entity = Entity(name="k", join_keys=["k"], value_type=ValueType.STRING)
    schema = [Field(name="k", dtype=String), *(Field(name=name, dtype=kind) for name, kind in features.items())]
    store = FeatureStore(config=config)
    store.apply([entity, FeatureView(name="view", entities=[entity], schema=schema, source=source, **view)])
    return store


def online_path(folder, engine=OWN_ENGINE):
    return folder / f"online-{engine['type']}.db"


def stored(folder, engine=OWN_ENGINE):
    query = "SELECT entity_key, feature_name, value, value_text, vector_value, event_ts, created_ts FROM p_view"
    with sqlite3.connect(online_path(folder, engine)) as connection:
        return sorted(connection.execute(query).fetchall())


def online(store, *keys):
    rows = [{"k": key} for key in keys]
    return store.get_online_features(features=["view:v"], entity_rows=rows).to_dict()["v"]


def every_type(rows):
    """Columns of every type a view may have, nulls and repetitions among them; 7 keys."""
    hours = [at(1) + timedelta(hours=number) for number in range(rows)]
    gaps = lambda column, step: [None if n % step == 0 else value for n, value in enumerate(column)]  # noqa: E731
    return pa.table(
        {
            "k": [f"key {number % 7}" for number in range(rows)],
            "known_at": pa.array(hours, STAMP),
            "created_at": pa.array(hours, STAMP),
            "int64": pa.array(gaps(range(-5, rows - 5), 3), pa.int64()),
            "int32": pa.array(range(rows), pa.int32()),
            "float64": pa.array(gaps([float("nan") if n == 8 else n / 3 for n in range(rows)], 4), pa.float64()),
            "float32": pa.array([1 + number / 7 for number in range(rows)], pa.float32()),
            "text": pa.array(gaps(["", "é"] * rows, 5)[:rows]),
            "flag": pa.array(gaps([True, False] * rows, 6)[:rows]),
            "moment": pa.array(hours, STAMP),
            "numbers": pa.array([[number, number + 1] for number in range(rows)], pa.list_(pa.int64())),
            "array": pa.array(gaps([[n / 3, float("nan"), None] for n in range(rows)], 4), pa.list_(pa.float64())),
            "array32": pa.array(gaps([[n / 7] for n in range(rows)], 3), pa.list_(pa.float32())),
            "as_double": pa.array([[n / 7] for n in range(rows)], pa.list_(pa.float64())),
            "raw": pa.array([b"x%d" % number for number in range(rows)]),
            "nothing": pa.array([None] * rows, pa.float64()),
        }
    )


TYPES = {
    "int64": Int64, "int32": Int32, "float64": Float64, "float32": Float32, "text": String, "flag": Bool,
    "moment": UnixTimestamp, "numbers": Array(Int64), "array": Array(Float64), "array32": Array(Float32),
    "as_double": Array(Float32), "raw": Bytes, "nothing": Float64,
}  # fmt: skip


def test_stores_the_very_bytes_that_stock_feast_stores(tmp_path):
    for engine in (STOCK_ENGINE, OWN_ENGINE):
        store = open_store(tmp_path, every_type(20), features=TYPES, engine=engine)
        store.materialize(at(1), at(3))
    assert len(stored(tmp_path)) == 7 * len(TYPES)
    assert stored(tmp_path) == stored(tmp_path, STOCK_ENGINE)


def test_integers_beside_nulls_are_stored_exactly(tmp_path):
    store = open_store(tmp_path, history([("a", at(1), at(1), 2**53 + 1), ("b", at(1), at(1), None)]))
    store.materialize(at(1), at(2))
    assert online(store, "a", "b") == [2**53 + 1, None]


def test_an_older_window_never_overwrites_a_newer_value(tmp_path):
    store = open_store(tmp_path, history([("a", at(1), at(1), 1), ("a", at(3), at(3), 3), ("b", at(1), at(1), 10)]))
    store.materialize(at(3), at(4))
    store.materialize(at(1), at(2))
    assert online(store, "a", "b") == [3, 10]


def test_a_window_excludes_its_end(tmp_path):
    store = open_store(tmp_path, history([("a", at(1), at(1), 1), ("a", at(2), at(2), 2)]))
    store.materialize(at(1), at(2))
    assert online(store, "a") == [1]
    store.materialize(at(2), at(3))
    assert online(store, "a") == [2]


@pytest.mark.parametrize(
    ("held", "written", "winner"),
    [(at(1), at(2), "written"), (at(2), at(1), "held"), (at(1), at(1), "written"), (None, at(1), "written"),
     (at(1), None, "held"), (None, None, "written")],
)  # fmt: skip
def test_of_equal_instants_the_larger_or_equal_created_timestamp_wins(tmp_path, held, written, winner):
    open_store(tmp_path, history([("a", at(1), held, 1)])).materialize(at(1), at(2))
    store = open_store(tmp_path, history([("a", at(1), written, 2)]))
    store.materialize(at(1), at(2))
    assert online(store, "a") == [{"held": 1, "written": 2}[winner]]


@pytest.mark.parametrize(("held", "written", "winner"), [(700, 200, "held"), (200, 700, "written")])
def test_of_two_instants_within_a_second_the_later_one_wins(tmp_path, held, written, winner):
    held, written = (at(1) + timedelta(milliseconds=number) for number in (held, written))
    open_store(tmp_path, history([("event", held, held, 1), ("correction", at(1), held, 1)])).materialize(at(1), at(2))
    rows = [("event", written, written, 2), ("correction", at(1), written, 2)]
    store = open_store(tmp_path, history(rows))
    store.materialize(at(1), at(2))
    assert online(store, "event", "correction") == [{"held": 1, "written": 2}[winner]] * 2


def test_a_file_whose_instants_were_whole_seconds_is_written_on(tmp_path):
    store = open_store(tmp_path, history([("a", at(1), at(1), 1), ("a", at(3), at(3), 3)]))
    store.materialize(at(1), at(2))
    with sqlite3.connect(online_path(tmp_path)) as connection:
        for column in ("event_microseconds", "created_microseconds"):
            connection.execute(f"ALTER TABLE p_view DROP COLUMN {column}")
    store.materialize(at(3), at(4))
    store.materialize(at(1), at(2))
    assert online(store, "a") == [3]


def written_lines(folder):
    """Feature lines that a trigger has seen written since the last call, by feature."""
    with sqlite3.connect(online_path(folder)) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS written (feature)")
        for what in ("INSERT", "UPDATE"):
            connection.execute(
                f"CREATE TRIGGER IF NOT EXISTS see_{what} AFTER {what} ON p_view "
                "BEGIN INSERT INTO written VALUES (new.feature_name); END"
            )
        seen = [feature for (feature,) in connection.execute("SELECT feature FROM written ORDER BY 1")]
        connection.execute("DELETE FROM written")
    return seen


def test_what_is_stored_as_it_is_or_newer_is_not_written_again(tmp_path):
    store = open_store(tmp_path, every_type(20), features=TYPES)
    assert written_lines(tmp_path) == []
    store.materialize(at(1), at(3))
    assert len(written_lines(tmp_path)) == 7 * len(TYPES)
    before = stored(tmp_path)
    store.materialize(at(1), at(3))
    store.materialize(at(1), at(1, 9))
    assert written_lines(tmp_path) == []
    assert stored(tmp_path) == before


def test_a_view_of_more_features_than_are_staged_together_is_stored_the_same(tmp_path, monkeypatch):
    contents = []
    for together in (len(TYPES), 2):
        monkeypatch.setattr(online_table, "_TOGETHER", together)
        (folder := tmp_path / str(together)).mkdir()
        store = open_store(folder, every_type(20), features=TYPES)
        store.materialize(at(1), at(3))
        contents.append(stored(folder))
    assert contents[0] == contents[1] != []


def test_of_a_corrected_window_only_the_changed_rows_are_written(tmp_path):
    rows = [(f"key {n}", at(1), at(1), n) for n in range(5)]
    open_store(tmp_path, history(rows)).materialize(at(1), at(2))
    written_lines(tmp_path)
    rows[2], rows[3] = ("key 2", at(1), at(1), 22), ("key 3", at(1), at(2), 3)
    store = open_store(tmp_path, history(rows))
    store.materialize(at(1), at(2))
    assert written_lines(tmp_path) == ["v", "v"]
    assert online(store, "key 1", "key 2", "key 3") == [1, 22, 3]


def test_of_a_row_the_features_that_are_missing_or_wrong_are_written(tmp_path):
    rows = history([("a", at(1), at(1), 1), ("b", at(1), at(1), 2)])
    rows = rows.append_column("w", rows["v"])
    open_store(tmp_path, rows).materialize(at(1), at(2))
    written_lines(tmp_path)
    store = open_store(tmp_path, rows, features={"v": Int64, "w": Int64})
    store.materialize(at(1), at(2))
    assert written_lines(tmp_path) == ["w", "w"]
    before = stored(tmp_path)
    with sqlite3.connect(online_path(tmp_path)) as connection:
        connection.execute("DELETE FROM p_view WHERE feature_name = 'w'")
        connection.execute("UPDATE p_view SET value = x'00'")
    written_lines(tmp_path)
    store.materialize(at(1), at(2))
    assert written_lines(tmp_path) == ["v", "v", "w", "w"]
    assert stored(tmp_path) == before


def test_a_newer_null_replaces_a_value(tmp_path):
    store = open_store(tmp_path, history([("a", at(1), at(1), 1), ("a", at(2), at(2), None)]))
    store.materialize(at(1), at(3))
    assert online(store, "a") == [None]


def test_an_empty_window_writes_nothing(tmp_path):
    store = open_store(tmp_path, history([("a", at(1), at(1), 1)]))
    store.materialize(at(5), at(6))
    assert stored(tmp_path) == []


def test_a_null_key_is_refused_and_nothing_is_written(tmp_path):
    store = open_store(tmp_path, history([(f"key {n}", at(1), at(1), n) for n in range(9)] + [(None, at(1), at(1), 1)]))
    with pytest.raises(DataContractError, match="view has rows whose key k is null"):
        store.materialize(at(1), at(2))
    assert stored(tmp_path) == []


def test_a_view_that_is_more_than_a_copy_of_its_table_is_refused(tmp_path):
    store = open_store(tmp_path, history([("a", at(1), at(1), 1)]), enable_validation=True)
    with pytest.raises(ConfigError, match="view declares enable_validation: features are made in build_features"):
        store.materialize(at(1), at(2))


def test_readers_go_on_while_the_store_is_written(tmp_path):
    open_store(tmp_path, history([("a", at(1), at(1), 1)]))
    with sqlite3.connect(online_path(tmp_path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_process_outside_utc_is_refused(tmp_path, monkeypatch):
    store = open_store(tmp_path, history([("a", at(1), at(1), 1)]))
    monkeypatch.setattr(time, "timezone", 18_000)
    with pytest.raises(ConfigError, match="run it with TZ=UTC"):
        store.materialize(at(1), at(2))


def test_through_any_other_store_an_older_value_never_overwrites_a_newer_one(tmp_path, monkeypatch):
    # `vector_enabled` adds columns the bulk writer does not know, so that the store's own writer is used.
    monkeypatch.setattr(online_writers, "_ROWS_PER_READ", 2)
    rows = [("a", at(1), at(1), 1), ("a", at(3), at(3), 3), *((f"key {n}", at(1), at(1), n) for n in range(5))]
    store = open_store(tmp_path, history(rows), online={"vector_enabled": True})
    store.materialize(at(3), at(4))
    store.materialize(at(1), at(2))
    assert online(store, "a", *(f"key {n}" for n in range(5))) == [3, 0, 1, 2, 3, 4]
    store = open_store(tmp_path, history([("a", at(3), at(5), 33)]), online={"vector_enabled": True})
    store.materialize(at(3), at(4))
    assert online(store, "a") == [33]
