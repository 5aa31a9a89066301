"""What a feed's `source` says: one SELECT through SQLAlchemy, streamed. No URL and no password gets into a message."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import CursorResult, Engine, make_url

from airloop.config import Feed
from airloop.config.source import Source
from airloop.errors import AirloopError, ConfigError, DataContractError, UpstreamUnavailable
from airloop.records import Window
from airloop.settings import Settings

_CHUNK_ROWS = 5000
# Databases without a timestamp that knows its zone: there instants are texts like 2013-02-01T00:00:00Z.
_INSTANTS_ARE_TEXT = ("sqlite", "mysql", "mariadb")
_POSTGRESQL_WITHOUT_ZONE = 1114


def read_rows(name: str, feed: Feed, over: Window | None, settings: Settings) -> Generator[Sequence[Any], None, None]:
    """The rows of a feed from its database, values in the order of `columns`, fetched in chunks; close it after use.

    Args:
        name: The feed's name, for messages.
        over: Rows with over.start <= watermark < over.end come, and those without a watermark, which the caller has to
            refuse; by event_time, key and watermark. None for a static table: all rows, by key.

    Raises:
        ConfigError: The connection is not known or cannot be used, the database refuses the query, or the query's
            columns are not the declared ones.
        DataContractError: The watermark's type has no time zone, or the driver cannot read a value.
        UpstreamUnavailable: The database does not answer, or stopped answering.
    """
    source = _source(feed)
    place = f"feed {name}, connection {source.connection!r}"
    engine = engine_of(str(source.connection), place, settings)
    with explained(place, engine), engine.connect() as connection:
        streaming = connection.execution_options(stream_results=True, max_row_buffer=_CHUNK_ROWS)
        result = streaming.execute(_statement(feed, source, over, engine.dialect.name))
        _refuse_columns(place, feed, result)
        for chunk in result.columns(*feed.columns).partitions(_CHUNK_ROWS):
            yield from chunk


def _source(feed: Feed) -> Source:
    if feed.source is None:
        raise ConfigError("the feed has no `source`: its files are landed by an upstream system")
    return feed.source


def engine_of(name: str, place: str, settings: Settings) -> Engine:
    """The database behind a connection; nothing is connected yet.

    Args:
        place: What asks for it, for messages.

    Raises:
        ConfigError: The connection is not known, or holds what SQLAlchemy cannot use; its URL is in no message.
    """
    url = settings.connections.get(name)
    if url is None:
        variable = f"AIRFLOW_CONN_{name.upper()}"
        raise ConfigError(
            f"{place}: there is no such connection. In Airflow: `airflow connections add {name} "
            f"--conn-uri ...` or {variable} in every worker's environment; by hand: "
            f'AIRLOOP_CONNECTIONS={{"{name}": "postgresql+psycopg2://..."}}'
        )
    try:
        return sa.create_engine(url, poolclass=sa.NullPool)
    except ImportError as error:
        reason = f"its driver is not installed ({error}); requirements/production.lock has PostgreSQL's"
    except (sa.exc.ArgumentError, ValueError):
        reason = "what it holds is not a SQLAlchemy URL of a known database, like postgresql+psycopg2://user@host/name"
    raise ConfigError(f"{place}: {reason}")


def quoted(name: str, column: str, settings: Settings) -> str:
    """A column's name as the database behind a connection quotes it, where it needs quotes.

    Raises:
        ConfigError: See engine_of.
    """
    return engine_of(name, f"connection {name!r}", settings).dialect.identifier_preparer.quote(column)


def _statement(feed: Feed, source: Source, over: Window | None, dialect: str) -> sa.Select[Any]:
    # A colon would start a parameter; the line end closes a comment at the query's end.
    text = sa.text(str(source.query).replace(":", r"\:") + "\n")
    query = text.columns(*(sa.column(name) for name in feed.columns)).subquery("source")
    every: sa.Select[Any] = sa.select(sa.literal_column("*")).select_from(query)
    key = [query.c[name] for name in feed.key]
    if over is None:
        return every.order_by(*key)
    mark = query.c[str(source.watermark)]
    inside = sa.and_(mark >= _bound(over.start, dialect), mark < _bound(over.end, dialect))
    return every.where(sa.or_(mark.is_(None), inside)).order_by(query.c[str(feed.event_time)], *key, mark)


def _bound(instant: datetime, dialect: str) -> sa.BindParameter[Any]:
    if dialect in _INSTANTS_ARE_TEXT:
        return sa.bindparam(None, f"{instant:%Y-%m-%dT%H:%M:%SZ}", unique=True)
    return sa.bindparam(None, instant, type_=sa.DateTime(timezone=True), unique=True)


def _refuse_columns(place: str, feed: Feed, result: CursorResult[Any]) -> None:
    columns = list(result.keys())
    if sorted(columns) != sorted(feed.columns):
        missing = sorted(set(feed.columns) - set(columns))
        extra = sorted(set(columns) - set(feed.columns))
        twice = sorted({name for name in columns if columns.count(name) > 1})
        raise ConfigError(
            f"{place}: the query's columns differ from the declaration: missing {missing}, not declared {extra}"
            + (f", twice {twice}" if twice else "")
        )
    # PostgreSQL would compare it in the session's zone and find other rows, or none, without a word.
    mark = feed.source.watermark if feed.source else None
    for column in result.cursor.description if result.cursor and mark else ():
        if column[0] == mark and column[1] == _POSTGRESQL_WITHOUT_ZONE:
            raise DataContractError(
                f"{place}: column {mark!r} has no time zone, which is never guessed: cast it in the query, like "
                f"{mark} AT TIME ZONE 'UTC' AS {mark}"
            )


@contextmanager
def explained(place: str, engine: Engine) -> Iterator[None]:
    """Errors of a database as airloop's, without what the connection holds.

    Raises:
        ConfigError: It refuses the query.
        DataContractError: The driver cannot read a value.
        UpstreamUnavailable: It does not answer.
    """
    try:
        yield
    except sa.exc.DBAPIError as error:
        # Not chained: a driver may repeat what it was given.
        raise _domain_error(place, error, engine) from None
    except (ValueError, OverflowError) as error:
        raise DataContractError(f"{place}: the driver cannot read a value: {error}") from error


def _domain_error(place: str, error: sa.exc.DBAPIError, engine: Engine) -> AirloopError:
    says = (str(error.orig).strip().splitlines() or [type(error.orig).__name__])[0][:300]
    for secret in filter(None, (engine.url.password, make_url(engine.url).render_as_string(hide_password=False))):
        says = says.replace(str(secret), "***")
    # SQLite calls a wrong statement an operational error, too.
    wrong_statement = getattr(error.orig, "sqlite_errorname", "") == "SQLITE_ERROR"
    silent = error.connection_invalidated or isinstance(error, (sa.exc.OperationalError, sa.exc.InterfaceError))
    if silent and not wrong_statement:
        return UpstreamUnavailable(f"{place}: the database does not answer: {says}")
    return ConfigError(f"{place}: the database refuses the query: {says}")
