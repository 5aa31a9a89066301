"""The state database: SQLite (WAL) or PostgreSQL, opened at today's schema, used one transaction at a time."""

import functools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine, make_url

from airloop.errors import ConfigError, UpstreamUnavailable
from airloop.files.private_files import create_private, sqlite_file, write_ahead
from airloop.records import Window
from airloop.settings import Settings
from airloop.stores import migrations

_BUSY_SECONDS = 30

_READS, _MAPS = "airloop_reads", "airloop_maps"

_MAPPED_BYTES = 1 << 30


def instant_text(instant: datetime) -> str:
    """UTC ISO text whose lexical order is the order in time (stored instants are compared as text)."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def stored_window(start: str, end: str) -> Window:
    """The window of two instants as `instant_text` wrote them."""
    return Window(datetime.fromisoformat(start), datetime.fromisoformat(end))


@functools.cache
def _engine(url: str) -> Engine:
    """The engine of a database whose schema is today's."""
    engine = _connected(url)
    migrations.bring_up(engine)
    return engine


def _connected(url: str) -> Engine:
    try:
        if path := sqlite_file(url):
            create_private(path)
        engine = sa.create_engine(url, pool_pre_ping=True, poolclass=sa.NullPool)
    except OSError as error:
        raise UpstreamUnavailable(f"state database {sqlite_file(url)} cannot be made: {error}") from error
    except (sa.exc.ArgumentError, ImportError) as error:
        raise ConfigError(f"AIRLOOP_STATE_URL cannot be used: {error}") from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # Autocommit at driver level: SQLAlchemy's begin event then takes the write lock at once, so two writers queue
    # on the busy timeout instead of failing when a read transaction tries to become a writing one.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1000}")
    write_ahead(connection, wait_seconds=_BUSY_SECONDS)


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get(_MAPS, False):
        connection.exec_driver_sql(f"PRAGMA mmap_size = {_MAPPED_BYTES}")
    connection.exec_driver_sql("BEGIN" if options.get(_READS, False) else "BEGIN IMMEDIATE")


def exists(settings: Settings) -> bool:
    """Whether there is a state database: to ask one that is not there would make it."""
    path = sqlite_file(settings.state_url)
    return path is None or path.is_file()


@contextmanager
def transaction(settings: Settings) -> Iterator[Connection]:
    """One transaction on the state database; rolled back on any error.

    Raises:
        UpstreamUnavailable: The database does not answer.
        ConfigError: The URL names no database that can be used here.
    """
    with _answering(settings), _engine(settings.state_url).begin() as connection:
        yield connection


def replace_rows(table: sa.Table, rows: Sequence[Mapping[str, Any]], settings: Settings) -> None:
    """Put rows in place of those of the same primary keys, in one transaction; nothing is asked for no rows.

    Raises:
        UpstreamUnavailable: The database does not answer.
    """
    if not rows:
        return
    key = [column.name for column in table.primary_key]
    same = [table.c[name] == sa.bindparam(f"of_{name}") for name in key]
    with transaction(settings) as connection:
        connection.execute(sa.delete(table).where(*same), [{f"of_{name}": row[name] for name in key} for row in rows])
        connection.execute(sa.insert(table), list(rows))


@contextmanager
def reading(settings: Settings, *, mapped: bool = False) -> Iterator[Connection]:
    """A transaction that only reads: it waits for no writer, and sees one state of the database from first to last.

    Args:
        mapped: Read a SQLite file through memory, for a short look at rows that lie all over it: twice as fast. A
            process ends (SIGBUS) when somebody shortens the file under it, so nothing that goes on for long asks so.

    Raises:
        UpstreamUnavailable: The database does not answer.
        ConfigError: The URL names no database that can be used here.
    """
    options = {_READS: True, _MAPS: mapped}
    with _answering(settings), _engine(settings.state_url).execution_options(**options).begin() as connection:
        yield connection


def upgrade(settings: Settings) -> tuple[str | None, str]:
    """Bring the database to today's schema; (revision before, None of an empty one; revision now).

    Whatever opens the database does the same first.

    Raises:
        UpstreamUnavailable: The database does not answer.
        ConfigError: It was opened by a newer airloop, or the URL names no database that can be used here.
    """
    with _answering(settings):
        return migrations.bring_up(_connected(settings.state_url))


@contextmanager
def _answering(settings: Settings) -> Iterator[None]:
    try:
        yield
    except sa.exc.OperationalError as error:
        says = f"state database {make_url(settings.state_url)!r}: {error.orig}"
        lost = ": was it replaced by another file? Restore it from a backup, and start what has it open again"
        raise UpstreamUnavailable(f"{says}{lost if 'no such table' in str(error.orig) else ''}") from error
    except sa.exc.DatabaseError as error:
        if type(error) is not sa.exc.DatabaseError:  # a number that is taken, for example, which its writer knows
            raise
        says = f"state database {make_url(settings.state_url)!r}: {error.orig}: restore it from a backup"
        raise UpstreamUnavailable(says) from error
