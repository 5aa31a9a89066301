"""Bring the state database to the schema this version works with.

Each revision is a file of `versions`. An empty database gets today's tables at once; one that was made before revisions
were counted holds the baseline's tables and is taken for revision 0001. Two processes that open an old database at once
follow each other: SQLite by its write lock, PostgreSQL by an advisory lock. All of it is one transaction: killed in
between, nothing of it is there.
"""

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from airloop.errors import ConfigError
from airloop.stores.tables import metadata

BASELINE, HEAD = "0001", "0010"
TABLE = "airloop_version"

_LOCK = 0x61_69_72_6C  # "airl"
_BASELINE_TABLE = "stage_runs"


def revision(connection: Connection) -> str | None:
    """The revision of a database; None of an empty one."""
    names = sa.inspect(connection).get_table_names()
    if TABLE in names:
        return connection.execute(sa.text(f"SELECT version_num FROM {TABLE}")).scalar()
    return BASELINE if _BASELINE_TABLE in names else None


def bring_up(engine: Engine) -> tuple[str | None, str]:
    """Run the revisions a database lacks; (revision before, HEAD). Nothing is written where none is lacking.

    Raises:
        ConfigError: The database was made by a newer airloop.
    """
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        before = revision(connection)
        if before == HEAD:
            return before, HEAD
        if before is None:
            _make(connection)
        elif before in _known():
            _upgrade(connection, before)
        else:
            raise ConfigError(
                f"the state database is at revision {before}, and this airloop knows up to {HEAD}: it was opened by a "
                "newer version; install that one"
            )
    return before, HEAD


def _known() -> tuple[str, ...]:
    return tuple(f"{number:04d}" for number in range(1, int(HEAD) + 1))


def _make(connection: Connection) -> None:
    metadata.create_all(connection)
    connection.execute(sa.text(f"CREATE TABLE {TABLE} (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
    connection.execute(sa.text(f"INSERT INTO {TABLE} VALUES (:head)"), {"head": HEAD})


def _upgrade(connection: Connection, before: str) -> None:
    # Importing Alembic costs a task a fifth of a second, and a home needs it once in a while.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    if not sa.inspect(connection).has_table(TABLE):
        command.stamp(config, before)
    command.upgrade(config, HEAD)
