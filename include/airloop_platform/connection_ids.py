"""The connections this machine's Airflow knows, by id: of its environment and of its database; no secret is read."""

import os
import sqlite3
from contextlib import closing

from airloop.settings import Settings
from airloop_platform.supervisor.databases import airflow_database

_PREFIX = "AIRFLOW_CONN_"


def connection_url(name: str) -> str | None:
    """The SQLAlchemy URL of a connection in AIRFLOW_CONN_<NAME>, None where there is none. It may hold a password.

    Raises:
        ConfigError: It is of a type that says nothing to SQLAlchemy.
    """
    if not os.environ.get(f"{_PREFIX}{name.upper()}"):
        return None
    # Airflow's reading of it, a URI or JSON: seconds that only a database costs.
    from airloop_airflow.connections import urls

    return urls([name]).get(name)


def connection_ids(settings: Settings) -> set[str]:
    """Ids from AIRFLOW_CONN_* and from the platform's own database; a platform that never ran has none."""
    ids = {name.removeprefix(_PREFIX).lower() for name in os.environ if name.startswith(_PREFIX)}
    path, _ = airflow_database(settings)
    if not path.is_file():
        return ids
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=2)) as database:
            return ids | {row[0] for row in database.execute("SELECT conn_id FROM connection")}
    except sqlite3.Error:
        return ids  # busy, or not migrated yet: a look is not worth more than that
