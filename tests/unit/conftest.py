"""Fixtures that several unit tests share: the command, a registry, a world that turned, a stand for monitor."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support import command
from tests.support.command import Airloop

from airloop.settings import Settings


@pytest.fixture
def airloop(toy_settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Airloop:
    """The command in the toy's checkout."""
    return command.in_checkout(toy_settings, monkeypatch, capsys)


@pytest.fixture(scope="session")
def _empty_registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from mlflow import MlflowClient

    path = tmp_path_factory.mktemp("registry") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}", f"sqlite:///{path}").search_registered_models()
    return path


@pytest.fixture
def registry_settings(tmp_path: Path, _empty_registry: Path) -> Settings:
    """Three registered versions of flight_delays without files, and an empty ledger.

    Loading versions is tested in tests/integration/test_model_check.py.
    """
    from mlflow import MlflowClient

    shutil.copy(_empty_registry, tmp_path / "mlflow.db")
    settings = Settings(home=tmp_path)
    client = MlflowClient(settings.mlflow_tracking_uri, settings.mlflow_tracking_uri)
    client.create_registered_model("flight_delays")
    for _ in range(3):
        client.create_model_version("flight_delays", source=str(tmp_path))
    return settings


@pytest.fixture(scope="session")
def turned(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """See toy_turned.write_project; tests share it, and only add."""
    from tests.support import toy_turned

    return toy_turned.write_project(tmp_path_factory.mktemp("turned") / "project", Settings().project_dir)


@pytest.fixture(scope="session")
def upstream_of_candidate(turned: Settings) -> dict[str, Any]:
    """What an evaluation of version 2 reads."""
    from tests.support import toy_turned

    return toy_turned.upstream(turned)


@pytest.fixture
def turned_ledger(turned: Settings, tmp_path: Path) -> Settings:
    """The same registry and lake with a ledger of its own."""
    shutil.copy(turned.home / "state.db", tmp_path / "state.db")
    return turned.model_copy(update={"state_url": f"sqlite:///{tmp_path}/state.db"})


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Builds a stand for monitor over rows of a task; the champion in force is monitor_stand.VERSION unless given."""
    from tests.support import monitor_stand

    def build(rows: Any = None, *, kind: str = "binary", champion: int | None = monitor_stand.VERSION) -> Any:
        settings = monitor_stand.project(tmp_path / "project", Settings().project_dir, kind)
        rows = monitor_stand.world(kind) if rows is None else rows
        return monitor_stand.build(settings, monkeypatch, rows, champion=champion)

    return build
