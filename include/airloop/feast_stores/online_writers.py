"""Writing feature rows to Feast's online stores, so that the newest known value wins whatever the order of the writes.

Every writer takes the rows of one view in batches. `write_sqlite` publishes all of them in one transaction; the others
are not transactional, and a rerun repairs what a killed one left. On SQLite and Redis a value that is
stored as it is, byte by byte, is not written.
"""

import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
from feast import FeatureView, RepoConfig
from feast.infra.online_stores.helpers import _mmh3, compute_table_id, compute_versioned_name, extract_text_and_num
from feast.infra.online_stores.online_store import OnlineStore
from feast.infra.online_stores.sqlite import SqliteOnlineStore
from feast.protos.feast.types.Value_pb2 import Value
from feast.utils import _convert_arrow_to_proto, to_naive_utc
from google.protobuf.timestamp_pb2 import Timestamp

from airloop.errors import ConfigError
from airloop.feast_stores import online_table
from airloop.feast_stores.online_rows import encode, join_key_types, row_heads
from airloop.files.private_files import create_private, write_ahead

Writer = Callable[[Any, RepoConfig, FeatureView, Iterable[pa.RecordBatch]], None]

_BUSY_SECONDS = 30
_SQLITE_EXTRAS = ("vector_enabled", "enable_openai_compatible_store")
_ROWS_PER_READ = 10_000


def open_sqlite(path: str | Path) -> sqlite3.Connection:
    """Open the file, or make it (0600), in WAL mode (readers go on during a write) and autocommit.

    Waits 30 s for other writers.
    """
    create_private(Path(path))
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
    write_ahead(connection, wait_seconds=_BUSY_SECONDS)
    return connection


def write_sqlite(
    store: SqliteOnlineStore, config: RepoConfig, view: FeatureView, batches: Iterable[pa.RecordBatch]
) -> None:
    """Stage all rows beside the database, then publish them in one short transaction.

    Raises:
        ConfigError: The process is not in UTC: readers take the stored seconds for local time.
    """
    if time.timezone or time.daylight:
        raise ConfigError("Feast's SQLite store holds instants in the time zone of the process: run it with TZ=UTC")
    table = compute_table_id(config.project, view, config.registry.enable_online_feature_view_versioning)
    with closing(open_sqlite(store._get_db_path(config))) as connection:
        names = [feature.name for feature in view.features]
        online_table.prepare(connection, table, names)
        connection.execute("BEGIN")
        for batch in batches:
            heads = row_heads(batch, view, config)
            stamps = [online_table.stamps(*pair) for pair in zip(heads.moments, heads.created, strict=True)]
            cells = [values.each(_sqlite_cell) for values in encode(batch, view).values()]
            online_table.stage(connection, heads.keys, stamps, cells)
        connection.execute("COMMIT")
        online_table.publish(connection, table, names)


def _sqlite_cell(value: Value) -> tuple[bytes, str | None]:
    return value.SerializeToString(), extract_text_and_num(value, False)[0]


def write_redis(store: Any, config: RepoConfig, view: FeatureView, batches: Iterable[pa.RecordBatch]) -> None:
    """Write one hash per key and, beside Feast's fields, the created timestamp as `_created:<view>`.

    What is stored is read first; two writers of one view at once may therefore pass each other.
    """
    client = store._get_client(config.online_store)
    name = compute_versioned_name(view, config.registry.enable_online_feature_view_versioning)
    fields = [f"_ts:{name}", f"_created:{name}", *(_mmh3(f"{name}:{feature.name}") for feature in view.features)]
    for batch in batches:
        heads = row_heads(batch, view, config)
        keys = [key + config.project.encode() for key in heads.keys]
        stamps = [
            (_stamp(moment), _stamp(created)) for moment, created in zip(heads.moments, heads.created, strict=True)
        ]
        with client.pipeline(transaction=False) as pipe:
            for key in keys:
                pipe.hmget(key, *fields)
            stored = pipe.execute()
            fresh = [place for place, new in enumerate(stamps) if _instants(new) >= _instants(stored[place][:2])]
            features = encode(batch.take(fresh), view) if fresh else {}
            columns = [values.each(Value.SerializeToString) for values in features.values()]
            for place, *cells in zip(fresh, *columns, strict=True):
                if [*stamps[place], *cells] != stored[place]:
                    pipe.hset(keys[place], mapping=dict(zip(fields, [*stamps[place], *cells], strict=True)))
                if config.online_store.key_ttl_seconds:
                    pipe.expire(keys[place], config.online_store.key_ttl_seconds)
            pipe.execute()


def _stamp(microseconds: int | None) -> bytes:
    if microseconds is None:
        return b""
    stamp = Timestamp()
    stamp.FromMicroseconds(microseconds)
    return bytes(stamp.SerializeToString())


def _instants(stored: Sequence[bytes | None]) -> list[int]:
    return [Timestamp.FromString(stamp).ToNanoseconds() if stamp else -1 for stamp in stored]


def write_any(store: OnlineStore, config: RepoConfig, view: FeatureView, batches: Iterable[pa.RecordBatch]) -> None:
    """Write through the store itself the rows that are not older than what it holds; created timestamps are ignored."""
    probed = [view.features[0].name]
    for batch in batches:
        for start in range(0, batch.num_rows, _ROWS_PER_READ):
            rows = _convert_arrow_to_proto(batch.slice(start, _ROWS_PER_READ), view, join_key_types(view))
            stored = store.online_read(config, view, [row[0] for row in rows], probed)
            fresh = [
                row
                for row, (stored_at, _) in zip(rows, stored, strict=True)
                if stored_at is None or to_naive_utc(stored_at) <= to_naive_utc(row[2])
            ]
            store.online_write_batch(config, view, fresh, None)


_WRITERS: dict[str, Writer] = {"SqliteOnlineStore": write_sqlite, "RedisOnlineStore": write_redis}


def writer_of(store: Any, config: RepoConfig) -> Writer:
    """How rows are written to this store."""
    writer = _WRITERS.get(type(store).__name__, write_any)
    extras = any(getattr(config.online_store, extra, False) for extra in _SQLITE_EXTRAS)
    return write_any if writer is write_sqlite and extras else writer
