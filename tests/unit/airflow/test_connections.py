"""The URLs of feeds' databases hold passwords: read from one variable, shown nowhere, handed to nobody."""

import json
from pathlib import Path

import pytest

from airloop.errors import ConfigError
from airloop.settings import Settings, load_settings
from airloop_platform.supervisor.environment import airflow_environment, mlflow_environment, settings_environment

URL = "postgresql+psycopg2://u:hush@db/shop"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("AIRLOOP_HOME", str(tmp_path))
    monkeypatch.setenv("AIRLOOP_CONNECTIONS", json.dumps({"shop": URL}))
    return load_settings()


def test_connections_come_from_one_variable_and_are_not_shown(settings: Settings) -> None:
    assert settings.connections == {"shop": URL}
    assert "hush" not in f"{settings!r} {settings}"


@pytest.mark.parametrize("value", ["shop=hush", '["hush"]', '{"shop": ["hush"]}'])
def test_an_unreadable_variable_is_named_and_not_shown(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRLOOP_CONNECTIONS", value)
    with pytest.raises(ConfigError) as refused:
        load_settings()
    assert "connections" in str(refused.value).lower()
    assert "hush" not in str(refused.value)


def test_no_process_of_the_platform_gets_them(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", URL)
    airflow = airflow_environment(settings, airflow_port=1, mlflow_url="")
    assert [name for name, value in airflow.items() if "hush" in value] == ["AIRFLOW_CONN_SHOP"]
    for environment in (mlflow_environment(settings), settings_environment(settings)):
        assert [name for name, value in environment.items() if "hush" in value] == []
