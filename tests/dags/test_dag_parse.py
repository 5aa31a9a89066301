"""Parsing is cheap and touches nothing: each file in a process of its own that has imported only Airflow."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.support.waiting import bound

PROJECT = Path(__file__).parents[2]
FILES = sorted(path.name for path in (PROJECT / "dags").glob("*.py"))
HEAVY = {
    *("pandas", "numpy", "scipy", "sklearn", "mlflow", "feast", "great_expectations", "evidently", "duckdb", "polars"),
    *("deltalake", "pyarrow", "optuna", "skops", "matplotlib", "shap", "plotly"),
}
STAGES = {f"airloop.{name}" for name in ("stage_run", "state", "lake", "landing", "ledger", "inbox", "tracking")}

# Every way to a database, a connection or a variable raises. A fork is as fresh as an interpreter, and 1.5 s cheaper;
# CPU seconds, because other tests may hold the processor.
PROGRAM = """
import importlib.util, json, os, sys, time
started = time.process_time()
from airflow.sdk import DAG, Asset, Param, RetryPolicy, dag, task
from airflow.providers.standard.operators import empty, trigger_dagrun
import airflow.sdk.execution_time.context as lookups
import airflow.triggers.base
import sqlalchemy.engine as engine
airflow_seconds = time.process_time() - started

def refuse(*a, **k):
    raise RuntimeError("parsing reached for a database, a connection or a variable")

engine.Engine.connect = engine.Engine.raw_connection = refuse
lookups._get_connection = lookups._get_variable = refuse
for path in sys.argv[1:]:
    sys.stdout.flush()
    if os.fork():
        os.wait()
        continue
    error, began = "", time.process_time()
    try:
        spec = importlib.util.spec_from_file_location("parsed", path)
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
    except Exception as caught:
        error = repr(caught)
    seconds = time.process_time() - began
    found = {"path": path, "seconds": seconds, "airflow": airflow_seconds, "error": error}
    found["modules"] = sorted(sys.modules)
    print(json.dumps(found), flush=True)
    os._exit(0)
"""


def _parse(files: list[Path], home: Path) -> dict[str, Any]:
    folders = os.pathsep.join([str(PROJECT / name) for name in ("dags", "plugins", "include")])
    environment = os.environ | {"AIRFLOW_HOME": str(home), "PYTHONPATH": folders, "AIRLOOP_HOME": str(home / "airloop")}
    command = [sys.executable, "-c", PROGRAM, *map(str, files)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=bound(120))
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"path"')]
    return {Path(item["path"]).name: item for item in found}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def parsed(home: Path) -> dict[str, Any]:
    return _parse([PROJECT / "dags" / name for name in FILES], home)


@pytest.mark.parametrize("name", FILES)
def test_parsing_loads_no_heavy_library_and_no_stage(parsed: dict[str, Any], name: str) -> None:
    modules = set(parsed[name]["modules"])
    assert sorted({module.split(".")[0] for module in modules} & HEAVY | modules & STAGES) == []


@pytest.mark.parametrize("name", FILES)
def test_parsing_reaches_for_no_database_and_succeeds(parsed: dict[str, Any], name: str) -> None:
    assert parsed[name]["error"] == ""


@pytest.mark.parametrize("name", FILES)
def test_parsing_takes_less_than_a_second_beyond_airflows_import(parsed: dict[str, Any], name: str, home: Path) -> None:
    # A machine on which Airflow's own import takes more than two seconds is given as much longer. The first parse may
    # have compiled modules that nothing had imported, and noise only adds: the best of a few is what a parse costs.
    def slow(found: dict[str, Any]) -> bool:
        return bool(found["seconds"] >= max(1, found["airflow"] / 2))

    tries = (parsed[name] if attempt == 0 else _parse([PROJECT / "dags" / name], home)[name] for attempt in range(4))
    assert not all(slow(found) for found in tries)


def test_parsing_writes_no_database(parsed: dict[str, Any], home: Path) -> None:
    assert [path.name for path in home.rglob("*.db")] == []


PLANTED = {
    "variable.py": "from airflow.sdk import Variable; Variable.get('x')",
    "connection.py": "from airflow.sdk import BaseHook; BaseHook.get_connection('x')",
    "database.py": "import sqlalchemy as sa; sa.create_engine('sqlite://').connect()",
    "heavy.py": "from airflow.sdk import dag\n@dag\ndef planted():\n    import polars\nplanted()\n",
}


@pytest.fixture(scope="module")
def planted(home: Path) -> dict[str, Any]:
    for name, text in PLANTED.items():
        (home / name).write_text(text)
    return _parse([home / name for name in PLANTED], home)


@pytest.mark.parametrize("name", ["variable.py", "connection.py", "database.py"])
def test_a_lookup_while_parsing_would_be_seen(planted: dict[str, Any], name: str) -> None:
    assert "parsing reached for" in planted[name]["error"]


def test_a_heavy_import_in_a_dag_body_would_be_seen(planted: dict[str, Any]) -> None:
    assert "polars" in planted["heavy.py"]["modules"]
