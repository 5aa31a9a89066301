"""Writing feature rows to Feast's online stores, so that the newest known value wins whatever the order of the writes.

Every writer takes the rows of one view in batches. `write_sqlite` publishes all of them in one transaction; the others
are not transactional, and a rerun repairs what a killed one left.
"""

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
from feast import FeatureView, RepoConfig
from feast.infra.online_stores.helpers import _mmh3, compute_table_id, compute_versioned_name, extract_text_and_num
from feast.infra.online_stores.online_store import OnlineStore
from feast.infra.online_stores.sqlite import SqliteOnlineStore, _quote_id
from feast.protos.feast.types.Value_pb2 import Value
from feast.utils import _convert_arrow_to_proto, to_naive_utc
from google.protobuf.timestamp_pb2 import Timestamp

from airloop.errors import ConfigError
from airloop.feast_stores.online_rows import OnlineRows, encode, join_key_types
from airloop.files.private_files import create_private, write_ahead

Writer = Callable[[Any, RepoConfig, FeatureView, Iterable[pa.RecordBatch]], None]

_BUSY_SECONDS = 30
_SQLITE_EXTRAS = ("vector_enabled", "enable_openai_compatible_store")
_ROWS_PER_READ = 10_000

# Feast's columns hold whole seconds, which its readers convert; two events of a second are told apart by these.
_MICROSECONDS = ("event_microseconds", "created_microseconds")
_COLUMNS = ("entity_key", "feature_name", "value", "value_text", "event_ts", "created_ts", *_MICROSECONDS)
_STAGE_SQL = f"CREATE TEMP TABLE staged ({', '.join(_COLUMNS)})"
_STAGE_ROW_SQL = f"INSERT INTO staged VALUES ({', '.join('?' * len(_COLUMNS))})"

# Null as a created timestamp is older than any other. The order of the keys makes the inserts sequential.
_PUBLISH_SQL = f"""
    INSERT INTO {{table}} ({", ".join(_COLUMNS)})
    SELECT * FROM staged WHERE true ORDER BY entity_key, feature_name
    ON CONFLICT (entity_key, feature_name) DO UPDATE SET
        {", ".join(f"{column} = excluded.{column}" for column in _COLUMNS[2:])}
    WHERE (excluded.event_ts, excluded.event_microseconds,
           ifnull(excluded.created_ts, -1), ifnull(excluded.created_microseconds, -1))
       >= (event_ts, ifnull(event_microseconds, 0), ifnull(created_ts, -1), ifnull(created_microseconds, -1))
"""


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
        connection.execute(_STAGE_SQL)
        connection.execute("BEGIN")
        for batch in batches:
            rows = _sqlite_rows(encode(batch, view, config))
            connection.executemany(_STAGE_ROW_SQL, rows)
        connection.execute("COMMIT")
        connection.execute("BEGIN IMMEDIATE")
        _add_microseconds(connection, table)
        connection.execute(_PUBLISH_SQL.format(table=_quote_id(table)))
        connection.execute("COMMIT")


def _add_microseconds(connection: sqlite3.Connection, table: str) -> None:
    """Add what Feast's own table lacks; inside the transaction, so that one of two writers does it."""
    existing = {column for (column,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))}
    for column in _MICROSECONDS:
        if column not in existing:
            connection.execute(f"ALTER TABLE {_quote_id(table)} ADD COLUMN {column} INTEGER")


def _sqlite_rows(rows: OnlineRows) -> Iterator[tuple[Any, ...]]:
    moments = (divmod(moment, 1_000_000) for moment in rows.moments)
    created = ((None, None) if moment is None else divmod(moment, 1_000_000) for moment in rows.created)
    stamps = [(at[0], of[0], at[1], of[1]) for at, of in zip(moments, created, strict=True)]
    for name, values in rows.features.items():
        cells = values.each(lambda value: (value.SerializeToString(), extract_text_and_num(value, False)[0]))
        for key, cell, stamp in zip(rows.keys, cells, stamps, strict=True):
            yield key, name, *cell, *stamp


def write_redis(store: Any, config: RepoConfig, view: FeatureView, batches: Iterable[pa.RecordBatch]) -> None:
    """Write one hash per key and, beside Feast's fields, the created timestamp as `_created:<view>`.

    What is stored is read first; two writers of one view at once may therefore pass each other.
    """
    client = store._get_client(config.online_store)
    name = compute_versioned_name(view, config.registry.enable_online_feature_view_versioning)
    event_field, created_field = f"_ts:{name}", f"_created:{name}"
    for batch in batches:
        rows = encode(batch, view, config)
        keys = [key + config.project.encode() for key in rows.keys]
        columns = [values.each(Value.SerializeToString) for values in rows.features.values()]
        fields = [_mmh3(f"{name}:{feature}") for feature in rows.features]
        with client.pipeline(transaction=False) as pipe:
            for key in keys:
                pipe.hmget(key, event_field, created_field)
            stored = pipe.execute()
            for key, old, moment, created, *cells in zip(
                keys, stored, rows.moments, rows.created, *columns, strict=True
            ):
                stamps = [_stamp(moment), _stamp(created)]
                if _instants(stamps) < _instants(old):
                    continue
                pipe.hset(key, mapping=dict(zip([event_field, created_field, *fields], [*stamps, *cells], strict=True)))
                if config.online_store.key_ttl_seconds:
                    pipe.expire(key, config.online_store.key_ttl_seconds)
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
