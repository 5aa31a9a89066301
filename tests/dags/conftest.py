"""Airflow reads its settings at import: they are set here, before any test module imports it, and nothing is written
below the repository. Tests without the marker `integration` never touch a database."""

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parents[2]
DAGS = PROJECT / "dags"
PLUGINS = PROJECT / "plugins"
HOME = Path(tempfile.mkdtemp(prefix="airloop-airflow-"))

os.environ.update(
    {
        "AIRFLOW_HOME": str(HOME),
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PLUGINS),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{HOME}/airflow.db",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(HOME / "logs"),
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }
)
for folder in (Path(__file__).parent, DAGS, PLUGINS, PROJECT / "include"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def pytest_unconfigure() -> None:
    # In every worker: the home is made when the tests are collected, and a worker that runs none of these has it too.
    shutil.rmtree(HOME, ignore_errors=True)


@pytest.fixture(scope="session")
def airflow_database() -> Path:
    """Airflow's home with a migrated database."""
    from airflow.utils.db import initdb

    initdb()
    return HOME


@pytest.fixture
def stages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, airflow_database: Path) -> Any:
    """Stages that only answer, in an airloop of their own."""
    from dag_runs import Stages

    from airloop.run import stage_run

    fake = Stages()
    monkeypatch.setenv("AIRLOOP_HOME", str(tmp_path))
    monkeypatch.setattr(stage_run, "run_stage", fake.run_stage)
    return fake
