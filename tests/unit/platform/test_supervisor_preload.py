"""airflow_local_settings: nothing in the other processes, and guarded in the scheduler."""

import importlib
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

CONFIG = Path(__file__).parents[3] / "include" / "airloop_platform" / "airflow_config"


@pytest.fixture
def local_settings(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(CONFIG))
    monkeypatch.setattr(sys, "argv", ["airflow", "triggerer"])
    monkeypatch.delitem(sys.modules, "airflow_local_settings", raising=False)
    return importlib.import_module("airflow_local_settings")


@pytest.mark.parametrize("argv", [["airflow", "api-server"], ["airflow", "db", "migrate"], ["airflow"]])
def test_only_the_scheduler_preloads(argv: list[str]) -> None:
    code = f"import sys; sys.argv = {argv}; import airflow_local_settings; print(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(CONFIG)}
    loaded = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert "airflow_local_settings" in loaded.stdout.split()
    assert not {"airflow", "airloop", "pandas", "feast", "mlflow"} & set(loaded.stdout.split())


def test_the_dag_processor_preloads_what_dag_files_import_and_nothing_heavy() -> None:
    code = "import sys; sys.argv = ['airflow', 'dag-processor']; import airflow_local_settings; print(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(CONFIG)}
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    loaded = set(result.stdout.split())
    assert {"pydantic_settings", "airflow.providers.standard.decorators.python", "airloop_airflow.dags.data"} <= loaded
    assert not {"pandas", "feast", "mlflow", "sklearn"} & loaded


@pytest.mark.parametrize(("argv", "mended"), [(["api-server"], True), (["scheduler"], False), (["triggerer"], False)])
def test_only_the_api_servers_access_log_is_mended(argv: list[str], mended: bool) -> None:
    code = f"import sys; sys.argv = ['airflow', *{argv}]; import airflow_local_settings; print(*sys.meta_path)"
    environment = {**os.environ, "PYTHONPATH": str(CONFIG), "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor"}
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert ("MendingFinder" in result.stdout) is mended


@pytest.mark.parametrize(
    ("arguments", "executor", "forks"),
    [
        (["scheduler", "--skip-serve-logs"], "LocalExecutor", True),
        (["scheduler", "--skip-serve-logs"], "CeleryExecutor", False),
        (["celery", "worker", "--skip-serve-logs"], "CeleryExecutor", True),
        (["celery", "flower"], "CeleryExecutor", False),
        (["triggerer"], "LocalExecutor", False),
        ([], "LocalExecutor", False),
    ],
)
def test_the_libraries_are_imported_where_tasks_are_forked(
    local_settings: ModuleType, arguments: list[str], executor: str, forks: bool
) -> None:
    assert local_settings._forks_tasks(arguments, executor) is forks


def test_another_airflow_is_not_patched(
    local_settings: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = set(sys.modules)
    monkeypatch.setattr(local_settings, "_TESTED_TASKS", {"apache-airflow-core": "3.0.0"})
    local_settings._free_worker_slots_sooner()
    assert "worker slots are freed later" in capsys.readouterr().err
    assert not {name for name in set(sys.modules) - before if name.startswith("airflow")}


@pytest.mark.parametrize("package", ["apache-airflow-core", "fastapi"])
def test_another_api_server_is_not_mended_and_says_so(
    local_settings: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], package: str
) -> None:
    before = list(sys.meta_path)
    monkeypatch.setitem(local_settings._TESTED_API, package, "0.1")
    local_settings._keep_the_api_server_moving()
    assert "POSTs to the API server at one moment may block it" in capsys.readouterr().err
    assert sys.meta_path == before


def test_a_library_that_cannot_be_imported_does_not_stop_the_scheduler(
    local_settings: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    local_settings._preload(("no_such_library", "json"))
    assert "no_such_library is not preloaded" in capsys.readouterr().err


def test_a_module_of_ours_that_cannot_be_imported_does_not_stop_the_scheduler(
    local_settings: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    own, looking = ModuleType("airloop_own_modules"), list[int]()
    own.of_tasks = lambda: importlib.import_module("airloop.no_such_module")
    own.forget_when_edited = lambda *, generations: looking.append(generations)
    monkeypatch.setitem(sys.modules, own.__name__, own)
    local_settings._preload_own("of_tasks", generations=2)
    assert "airloop's own modules are not preloaded" in capsys.readouterr().err
    assert looking == [2]


def test_the_scheduler_passes_the_gate_only_when_the_supervisor_opens_it(
    local_settings: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    for opened in (True, False):
        reader, writer = os.pipe()
        monkeypatch.setenv("AIRLOOP_SCHEDULER_GATE", str(reader))
        if opened:
            os.write(writer, b"1")
        os.close(writer)
        if opened:
            local_settings._wait_at_gate()
        else:
            with pytest.raises(SystemExit, match="supervisor is gone"):
                local_settings._wait_at_gate()
        assert "AIRLOOP_SCHEDULER_GATE" not in os.environ


def test_without_a_gate_the_scheduler_goes_on(local_settings: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRLOOP_SCHEDULER_GATE", raising=False)
    local_settings._wait_at_gate()
