"""Airflow's connections as SQLAlchemy URLs, looked up while a task runs: the library knows no Airflow."""

from collections.abc import Iterable
from typing import Any

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowException, AirflowNotFoundException
from airflow.sdk.log import mask_secret

from airloop.errors import ConfigError

_SCHEME = "sqlalchemy_scheme"
_SCHEMES = {
    "postgres": "postgresql+psycopg2",
    "mysql": "mysql",
    "mssql": "mssql",
    "oracle": "oracle",
    "sqlite": "sqlite",
}
"""Airflow's providers know more, where they are installed; these work without one."""


def urls(connection_ids: Iterable[str]) -> dict[str, str]:
    """Connection id -> URL, of those that Airflow knows; they hold passwords, and are masked in the task's log.

    Raises:
        ConfigError: A connection's type or extra says nothing to SQLAlchemy.
    """
    by_id = {}
    for connection_id in connection_ids:
        try:
            connection = Connection.get(connection_id)
        except AirflowNotFoundException:
            # The stage says how one is added.
            continue
        by_id[connection_id] = _url(connection)
        mask_secret(by_id[connection_id])
    return by_id


def _url(connection: Any) -> str:
    from sqlalchemy.engine import URL

    extra = dict(connection.extra_dejson)
    scheme = extra.pop(_SCHEME, None) or _SCHEMES.get(connection.conn_type or "")
    if not scheme and (url := _url_by_provider(connection)):
        return url
    if not scheme:
        raise ConfigError(
            f"connection {connection.conn_id!r} is of type {connection.conn_type!r}; known are {', '.join(_SCHEMES)}, "
            "and those whose Airflow provider is installed and makes a URL of SQLAlchemy's; for others its extra names "
            f"the dialect: {{{_SCHEME!r}: ...}}"
        )
    nested = [name for name, value in extra.items() if not isinstance(value, (str, int, float))]
    if nested:
        raise ConfigError(f"connection {connection.conn_id!r}: extra {nested[0]!r} is neither text nor a number")
    if scheme == "sqlite":
        return URL.create(scheme, database=connection.host or connection.schema).render_as_string()
    return URL.create(
        scheme,
        username=connection.login,
        password=connection.password,
        host=connection.host,
        port=connection.port,
        database=connection.schema,
        query={name: str(value) for name, value in extra.items()},
    ).render_as_string(hide_password=False)


def _url_by_provider(connection: Any) -> str | None:
    """As the hook makes it of the whole connection; older ones have a text of it only (DbApiHook.get_uri)."""
    try:
        hook = connection.get_hook()
        url = _of_hook(hook)
    except (AirflowException, ImportError, AttributeError):
        return None
    return str(url) if isinstance(url, str) else str(url.render_as_string(hide_password=False))


def _of_hook(hook: Any) -> Any:
    try:
        return hook.sqlalchemy_url
    except NotImplementedError:
        return hook.get_uri()
