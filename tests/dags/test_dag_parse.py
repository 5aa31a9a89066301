"""Parsing is cheap and touches nothing: every file in an interpreter of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parents[2]
FILES = sorted(path.name for path in (PROJECT / "dags").glob("*.py"))
HEAVY = (
    *("pandas", "numpy", "scipy", "sklearn", "mlflow", "feast", "great_expectations", "evidently", "duckdb", "polars"),
    *("deltalake", "pyarrow", "optuna", "skops", "matplotlib", "shap", "plotly", "fsspec"),
)
STAGES = ("airloop.stage_run", "airloop.state", "airloop.lake", "airloop.landing", "airloop.ledger", "airloop.inbox")

# No statement reaches a database and no connection or variable is looked up: each way in raises.
PROGRAM = """
import importlib.util, json, sys, time
import airflow.sdk
import airflow.sdk.execution_time.context as lookups
import sqlalchemy.engine as engine

def refuse(*a, **k):
    raise RuntimeError("parsing reached for a database, connection or variable")

engine.Engine.connect = engine.Engine.raw_connection = refuse
lookups._get_connection = lookups._get_variable = refuse
began = time.monotonic()
spec = importlib.util.spec_from_file_location("parsed", sys.argv[1])
spec.loader.exec_module(importlib.util.module_from_spec(spec))
print(json.dumps({"seconds": time.monotonic() - began, "modules": sorted(sys.modules)}))
"""


@pytest.fixture(scope="module", params=FILES)
def parsed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    home = tmp_path_factory.mktemp("home")
    folders = os.pathsep.join([str(PROJECT / "dags"), str(PROJECT / "include")])
    environment = os.environ | {"AIRFLOW_HOME": str(home), "PYTHONPATH": folders, "AIRLOOP_HOME": str(home / "airloop")}
    command = [sys.executable, "-c", PROGRAM, str(PROJECT / "dags" / request.param)]
    # The first run compiles byte code; the second is what the DAG processor sees.
    for _ in range(2):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found | {"home": home}


def test_parsing_loads_no_heavy_library_and_no_stage(parsed: dict[str, Any]) -> None:
    roots = {name.split(".")[0] for name in parsed["modules"]}
    assert sorted(roots & set(HEAVY)) == []
    assert sorted(set(parsed["modules"]) & set(STAGES)) == []


def test_parsing_takes_less_than_a_second_beyond_airflows_import(parsed: dict[str, Any]) -> None:
    assert parsed["seconds"] < 1


def test_parsing_writes_no_database(parsed: dict[str, Any]) -> None:
    assert [path.name for path in parsed["home"].rglob("*.db")] == []
