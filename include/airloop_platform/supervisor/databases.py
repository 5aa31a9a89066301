"""The local databases before the services open them: which migrations are due, the journal mode, who may read them."""

import importlib.metadata
import logging
import sqlite3
from contextlib import closing
from pathlib import Path

from airloop.files.private_files import create_private, sqlite_file, withdraw, write_ahead
from airloop.settings import Settings
from airloop_platform.supervisor.run_folder import run_folder

_LOG = logging.getLogger(__name__)


def migration_due(settings: Settings) -> bool:
    """Whether Airflow's database is missing or was last migrated by another version (a migration costs 10 s)."""
    database, marker = airflow_database(settings)
    return not database.exists() or not marker.exists() or marker.read_text() != _airflow_version()


def mark_migrated(settings: Settings) -> None:
    """Remember beside the database that this version of Airflow has migrated it; for after a migration succeeded."""
    _, marker = airflow_database(settings)
    marker.write_text(_airflow_version())


def keep_private(settings: Settings) -> None:
    """Leave the platform's databases and the folders with its secrets to their owner; those outside the home as well.

    Airflow's file is made here (0600), for Airflow would make it by the umask. What an earlier version left readable is
    withdrawn.
    """
    folder = run_folder(settings)
    database, _ = airflow_database(settings)
    create_private(database)
    local = filter(None, map(sqlite_file, (settings.state_url, settings.mlflow_tracking_uri)))
    for path in (database.parent, folder.lock.parent, database, folder.mlflow_users, *local):
        withdraw(path)


def prefer_wal(url: str) -> None:
    """Turn on WAL in the SQLite file of a SQLAlchemy URL, so that readers do not wait for a writer.

    The mode stays in the file. MLflow itself sets a busy timeout of 20 s. A file that is in use keeps its mode; URLs of
    other databases are left alone.
    """
    path = sqlite_file(url)
    if path is None:
        return
    create_private(path)
    with closing(sqlite3.connect(path)) as connection:
        try:
            write_ahead(connection, wait_seconds=0)
        except sqlite3.OperationalError as error:
            _LOG.warning("%s keeps its journal mode: %s", path, error)


def airflow_database(settings: Settings) -> tuple[Path, Path]:
    """Airflow's own SQLite database, and the file that says for which version it was migrated."""
    home = settings.home / "airflow"
    return home / "airflow.db", home / "airflow.db.migrated"


def _airflow_version() -> str:
    return importlib.metadata.version("apache-airflow-core")
