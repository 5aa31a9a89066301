"""MLflow's SQLite files, made whole or not at all.

Its migrations are not atomic on SQLite: a process killed among them leaves tables that no later start can complete
("duplicate column name"). PostgreSQL takes a migration back by itself.

python -P -m airloop.stores.mlflow.tracking_tables

makes both files of a platform, in the environment of its MLflow server
"""

import configparser
import os
from collections.abc import Callable
from pathlib import Path

from airloop.files import file_locks
from airloop.files.private_files import create_private, sqlite_file
from airloop.settings import load_settings


def missing(url: str) -> Path | None:
    """The SQLite file of a SQLAlchemy URL when it is not there; None for a file that is, and for other databases."""
    path = sqlite_file(url)
    return None if path is None or path.exists() else path


def make(url: str) -> None:
    """MLflow's tables of runs and models in the file of `url`; nothing when it is there, or is not a SQLite file.

    Of two at once the second waits for the first. A killed one leaves a hidden file, which the next one removes.
    """
    _make(url, _runs_and_models)


def make_users(url: str) -> None:
    """As `make`, for the users of the MLflow server's login; only in the environment of the server."""
    _make(url, _users)


def _make(url: str, fill: Callable[[str], None]) -> None:
    path = missing(url)
    if path is None:
        return
    making = path.with_name(f".{path.name}.making")
    lock = file_locks.open_lock(path.with_name(f".{path.name}.lock"))
    try:
        file_locks.wait_for(lock)
        if path.exists():
            return
        for left in (making, making.with_name(f"{making.name}-journal")):
            left.unlink(missing_ok=True)
        create_private(making)
        fill(f"sqlite:///{making}")
        making.rename(path)
    finally:
        os.close(lock)


def _runs_and_models(url: str) -> None:
    from mlflow.db import upgrade

    # The body of `mlflow db upgrade`, as below: as a command it would end the process.
    upgrade.callback(url)


def _users(url: str) -> None:
    from mlflow.server.auth.db.cli import upgrade

    upgrade.callback(url, "head")


def main() -> None:
    """Make the file of the tracking URI and the one that MLFLOW_AUTH_CONFIG_PATH names for its users."""
    login = configparser.ConfigParser()
    login.read(os.environ["MLFLOW_AUTH_CONFIG_PATH"])
    make(load_settings().mlflow_tracking_uri)
    make_users(login["mlflow"]["database_uri"])


if __name__ == "__main__":
    main()
