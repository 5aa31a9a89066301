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
    """As the type's hook makes it of the whole connection, a URL or its text; None where there is no such hook.

    Raises:
        ConfigError: The hook lacks something of the connection. What it says is left out: it may hold a secret.
    """
    try:
        hook = connection.get_hook()
    except (AirflowException, ImportError):
        return None
    try:
        url = _of_hook(hook)
    except AttributeError:
        return None
    except Exception as error:  # whatever a provider raises about an incomplete connection
        raise ConfigError(
            f"connection {connection.conn_id!r}: its provider's {type(hook).__name__} makes no URL of it "
            f"({type(error).__name__}): complete the connection, or name SQLAlchemy's dialect: {{{_SCHEME!r}: ...}}"
        ) from None
    return url if isinstance(url, str) else str(url.render_as_string(hide_password=False))


def _of_hook(hook: Any) -> Any:
    try:
        return hook.sqlalchemy_url
    except NotImplementedError:  # DbApiHook says so of hooks that have the text only
        return hook.get_uri()
