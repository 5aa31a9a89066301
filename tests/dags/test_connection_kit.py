"""An Airflow connection says to SQLAlchemy what it says to Airflow; one that says nothing is refused."""

from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import Connection
from sqlalchemy.engine import URL, make_url

from airloop.errors import ConfigError
from airloop_airflow import connections

PASSWORD = "p@ss/w:rd"
FULL: dict[str, Any] = {"host": "db", "login": "u", "password": PASSWORD, "schema": "shop", "port": 5433}


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Any:
    def of(**declared: Any) -> str:
        monkeypatch.setenv("AIRFLOW_CONN_SHOP", Connection(conn_id="shop", **declared).as_json())
        return connections.urls(["shop"])["shop"]

    return of


@pytest.mark.parametrize(
    ("kind", "driver"),
    [
        ("postgres", "postgresql+psycopg2"),
        ("mysql", "mysql"),
        ("mssql", "mssql"),
        ("oracle", "oracle"),
    ],
)
def test_every_part_of_a_connection_arrives(url: Any, kind: str, driver: str) -> None:
    found = make_url(url(conn_type=kind, **FULL))
    assert found.drivername == driver
    assert (found.host, found.username, found.password, found.database, found.port) == (
        "db",
        "u",
        PASSWORD,
        "shop",
        5433,
    )


def test_extras_are_options_of_the_driver(url: Any) -> None:
    found = make_url(url(conn_type="postgres", extra='{"sslmode": "require", "connect_timeout": 5}', **FULL))
    assert dict(found.query) == {"sslmode": "require", "connect_timeout": "5"}


def test_an_extra_may_name_the_dialect(url: Any) -> None:
    found = make_url(url(conn_type="snowflake", extra='{"sqlalchemy_scheme": "snowflake", "warehouse": "w"}', **FULL))
    assert (found.drivername, dict(found.query)) == ("snowflake", {"warehouse": "w"})


def test_of_another_type_its_provider_makes_the_url(monkeypatch: pytest.MonkeyPatch, url: Any) -> None:
    made = URL.create("trino", username="u", password=PASSWORD, host="db")
    hook = SimpleNamespace(sqlalchemy_url=made)
    monkeypatch.setattr(Connection, "get_hook", lambda self: hook if self.conn_type == "trino" else None)
    assert make_url(url(conn_type="trino", **FULL)) == made
    with pytest.raises(ConfigError, match="those whose Airflow provider is installed"):
        url(conn_type="ftp", **FULL)


class TextOnly:
    """A hook of a provider that makes a text of a connection, and no URL."""

    @property
    def sqlalchemy_url(self) -> URL:
        raise NotImplementedError

    def get_uri(self) -> str:
        return f"trino://u:{PASSWORD}@db/shop"


class Incomplete(TextOnly):
    def get_uri(self) -> str:
        raise ValueError(f"no account beside {PASSWORD}")


def test_a_provider_may_have_the_text_of_a_url_only(monkeypatch: pytest.MonkeyPatch, url: Any) -> None:
    monkeypatch.setattr(Connection, "get_hook", lambda _self: TextOnly())
    assert url(conn_type="trino", **FULL) == TextOnly().get_uri()


def test_what_a_provider_lacks_is_one_error_without_its_words(monkeypatch: pytest.MonkeyPatch, url: Any) -> None:
    monkeypatch.setattr(Connection, "get_hook", lambda _self: Incomplete())
    with pytest.raises(
        ConfigError, match=r"'shop': its provider's Incomplete makes no URL of it \(ValueError\)"
    ) as refused:
        url(conn_type="trino", **FULL)
    assert PASSWORD not in str(refused.value)


def test_a_sqlite_connection_is_a_file(monkeypatch: pytest.MonkeyPatch, url: Any) -> None:
    assert url(conn_type="sqlite", host="/data/shop.db") == "sqlite:////data/shop.db"
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", "sqlite:////data/shop.db")
    assert make_url(connections.urls(["shop"])["shop"]).database == "/data/shop.db"


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        ({"conn_type": "http"}, "is of type 'http'; known are postgres, mysql"),
        ({"conn_type": "postgres", "extra": '{"options": {"a": 1}}'}, "extra 'options' is neither text nor a number"),
    ],
)
def test_a_connection_that_says_nothing_to_sqlalchemy_is_refused(url: Any, declared: Any, says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        url(**FULL, **declared)
    assert says in str(refused.value)
    assert PASSWORD not in str(refused.value)


def test_a_connection_that_airflow_does_not_have_is_left_out() -> None:
    assert connections.urls(["nosuch"]) == {}
