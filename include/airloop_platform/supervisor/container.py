"""What a container does beside its service: prepare what all of them need, and say whether a service is healthy.

python -P -m airloop_platform.supervisor.container prepare
python -P -m airloop_platform.supervisor.container healthy scheduler http://api-server:8080
"""

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from airloop.settings import Settings, load_settings
from airloop.stores.mlflow import tracking_tables
from airloop_platform.supervisor.credentials import USERNAME
from airloop_platform.supervisor.environment import mlflow_login
from airloop_platform.supervisor.run_folder import write_private, write_private_text
from airloop_platform.supervisor.services import airflow_health, mlflow_healthy, serving_healthy, warm_execution_api

_MAINTENANCE_DATABASE = "postgres"


def prepare(settings: Settings, environment: Mapping[str, str]) -> None:
    """Make the PostgreSQL databases that are missing and write the login files (0600); a second call changes nothing.

    Args:
        environment: Where Airflow's database is (AIRFLOW__DATABASE__SQL_ALCHEMY_CONN), its administrator's password
            (AIRFLOW_ADMIN_PASSWORD) and the file it goes into, and MLflow's MLFLOW_AUTH_CONFIG_PATH: the server keeps
            its users beside that file.
    """
    urls = (settings.state_url, settings.mlflow_tracking_uri, settings.feast_registry_url)
    _create_databases([environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"], *urls], settings.online_store)
    passwords = Path(environment["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"])
    write_private(passwords, {USERNAME: environment["AIRFLOW_ADMIN_PASSWORD"]})
    login = Path(environment["MLFLOW_AUTH_CONFIG_PATH"])
    write_private_text(login, mlflow_login(login.with_name("mlflow_users.db")))


def healthy(service: str, url: str) -> bool:
    """Whether a service is healthy: `mlflow` and `serving` by their own answers, Airflow's by their heartbeats.

    Airflow's API server tells those. Of that one it also asks what tasks will ask, which takes the first of them 4-8 s
    otherwise.

    Args:
        url: Of the MLflow server, of the prediction service, or of Airflow's API server.
    """
    if service == "mlflow":
        return mlflow_healthy(url)
    if service == "serving":
        return serving_healthy(url)
    well = airflow_health(url).get(service, False)
    if well and service == "api-server":
        warm_execution_api(url)
    return well


def main(arguments: Sequence[str]) -> int:
    """The exit code: 0 when prepared, or healthy."""
    if arguments == ["prepare"]:
        prepare(load_settings(), os.environ)
        tracking_tables.main()
        return 0
    service, url = arguments[1:]
    return 0 if healthy(service, url) else 1


def _create_databases(urls: Sequence[str], online_store: Mapping[str, Any]) -> None:
    # Not at the top: a health check has no use for it.
    import sqlalchemy as sa

    parsed = [sa.make_url(url) for url in urls]
    if online_store.get("type") == "postgres":
        parts: Any = {name: online_store.get(name) for name in ("password", "host", "port", "database")}
        parsed.append(sa.URL.create("postgresql+psycopg2", online_store.get("user"), **parts))
    for url in parsed:
        if url.get_backend_name() != "postgresql":
            continue
        engine = sa.create_engine(url.set(database=_MAINTENANCE_DATABASE), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            there = connection.execute(sa.text("SELECT datname FROM pg_database")).scalars().all()
            if url.database not in there:
                # Another preparation may have been faster.
                with suppress(sa.exc.ProgrammingError, sa.exc.IntegrityError):
                    connection.exec_driver_sql(f'CREATE DATABASE "{url.database}"')
        engine.dispose()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
