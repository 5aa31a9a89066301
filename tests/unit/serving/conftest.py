"""The served toy, made once for the tests of this folder."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support import served_toy, toy

from airloop.settings import Settings


@pytest.fixture(scope="session")
def served_home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """See served_toy.write; tests share it, and change nothing."""
    settings = toy.write_project(tmp_path_factory.mktemp("served") / "project", Settings().project_dir)
    served_toy.write(settings)
    return settings


@pytest.fixture
def served(served_home: Settings, tmp_path: Path) -> Settings:
    """The same registry and online store with a ledger, a lake, a landing folder and a log of its own."""
    shutil.copy(served_home.home / "state.db", tmp_path / "state.db")
    shutil.copytree(served_home.lake_uri, tmp_path / "lake")
    update = {
        "state_url": f"sqlite:///{tmp_path}/state.db",
        "lake_uri": str(tmp_path / "lake"),
        "landing_uri": str(tmp_path / "landing"),
        "home": tmp_path,
    }
    return served_home.model_copy(update=update)


@pytest.fixture(scope="module")
def client(served_home: Settings) -> Iterator[Any]:
    """A service of the shared home, that asks for no key."""
    with served_toy.running(served_home) as running:
        yield running
