"""Makes tasks start in 0.3 s instead of 20: what the process does whose forks become the tasks.

Airflow imports this module in all its processes while it initialises itself; only the scheduler of a LocalExecutor and
a Celery worker do much here. Both fork twice, scheduler -> worker -> task and worker -> pool -> task, so what is
imported here every task has. Imports only: a library that computes here (OpenMP, a thread pool) could hang in them.
A DAG processor forks once for each reading of a DAG file. airloop's own modules are imported too, and an edit of one
shows at once (`airloop_own_modules`).

The API server's access log is mended here too (`airloop_access_log`).
"""

import ctypes
import importlib
import importlib.metadata
import os
import signal
import sys
from typing import Any

_TESTED_TASKS = {"apache-airflow-core": "3.3.2", "apache-airflow-task-sdk": "1.3.2"}
_TESTED_API = {"apache-airflow-core": "3.3.2", "fastapi": "0.136.3"}
_POLL_SECONDS = 0.2
_PR_SET_PDEATHSIG = 1
_PRELOAD = (
    # First: beside it pyspark, which others import, would take the process for its doctests.
    "airloop.settings",
    "pandas",
    "pyarrow.dataset",
    "sklearn.ensemble",
    "sklearn.linear_model",
    "sklearn.compose",
    "sklearn.pipeline",
    # Before the others: it looks for NumPy's functions among the names of all modules that are there.
    "skops.io",
    "mlflow",
    "mlflow.sklearn",
    # MLflow and Feast import these at the first question: a second of a task that asks who is champion.
    "mlflow.store.tracking.sqlalchemy_store",
    "ibis",
    "great_expectations",
    "duckdb",
    "polars",
    "deltalake",
    "feast",
    # MLflow asks this plugin of Feast at its first HTTP call.
    "feast.infra.data_sources.mlflow.auth",
    "evidently",
    "evidently.presets",
    "optuna",
    "matplotlib.figure",
)
_PRELOAD_FOR_FILES = (
    "pydantic_settings",
    "airflow.sdk.definitions.connection",
    "airflow.sdk.definitions.decorators",
    "airflow.sdk.definitions.retry_policy",
    "airflow.timetables.trigger",
    "airflow.providers.standard.decorators.branch_python",
    "airflow.providers.standard.decorators.python",
    "airflow.providers.standard.decorators.short_circuit",
    "airflow.providers.standard.operators.empty",
    "airflow.providers.standard.operators.hitl",
    "airflow.providers.standard.operators.trigger_dagrun",
)

"""What every DAG file imports, beside airloop itself."""

# Airflow copies the names listed here into its settings module: none.
__all__: list[str] = []


def _say(text: str) -> None:
    # Logging is not configured yet.
    sys.stderr.write(f"airloop: {text}\n")


def _preload_for_tasks() -> None:
    from airloop.feast_stores.feast_boot import neutralise_typeguard

    neutralise_typeguard()
    _preload((*_PRELOAD, *_PRELOAD_FOR_FILES))
    _preload_own("of_tasks", generations=2)


def _preload_own(modules: str, *, generations: int) -> None:
    own = importlib.import_module("airloop_own_modules")
    try:
        _preload(getattr(own, modules)())
    except Exception as error:
        _say(f"airloop's own modules are not preloaded: {error!r}")
    own.forget_when_edited(generations=generations)


def _preload(modules: tuple[str, ...]) -> None:
    for module in modules:
        try:
            importlib.import_module(module)
        except Exception as error:  # the fork that needs it will say so; the others must run
            _say(f"{module} is not preloaded: {error!r}")


def _fits(tested: dict[str, str], *, otherwise: str) -> bool:
    """Whether these versions are installed; if not, says what is lost: private methods are wrapped for them only."""
    installed = {package: importlib.metadata.version(package) for package in tested}
    if installed != tested:
        _say(f"{otherwise}: made for {tested}, found {installed}")
    return installed == tested


def _keep_the_api_server_moving() -> None:
    """Let it commit its access log in a thread: with SQLite two POSTs at once would stop it for 30 s."""
    if _fits(_TESTED_API, otherwise="POSTs to the API server at one moment may block it"):
        importlib.import_module("airloop_access_log").install()


def _free_worker_slots_sooner() -> None:
    """Let a worker look for the end of its task every 0.2 s; Airflow may look only after `min_heartbeat_interval`.

    Wraps a private method.
    """
    if not _fits(_TESTED_TASKS, otherwise="worker slots are freed later"):
        return
    from airflow.sdk.execution_time.supervisor import WatchedSubprocess

    wait = WatchedSubprocess._service_subprocess

    def wait_briefly(self: WatchedSubprocess, max_wait_time: float, *args: Any, **kwargs: Any) -> int | None:
        code: int | None = wait(self, min(max_wait_time, _POLL_SECONDS), *args, **kwargs)
        return code

    WatchedSubprocess._service_subprocess = wait_briefly  # type: ignore[method-assign]


def _tie_workers_and_tasks() -> None:
    """Let the kernel end the workers with the scheduler and a task with its worker; what a task forks is its affair."""
    prctl, generation = ctypes.CDLL(None).prctl, 0

    def in_child() -> None:
        nonlocal generation
        generation += 1
        if generation <= 2:
            prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))

    os.register_at_fork(after_in_child=in_child)


def _wait_at_gate() -> None:
    """Wait until the supervisor says that the API server answers; end when the supervisor is gone."""
    gate = int(os.environ.pop("AIRLOOP_SCHEDULER_GATE", "-1"))
    if gate < 0:
        return
    opened = os.read(gate, 1)
    os.close(gate)
    if not opened:
        sys.exit("the supervisor is gone")


def _forks_tasks(arguments: list[str], executor: str) -> bool:
    """Whether tasks are forks of this process."""
    if arguments[:1] == ["scheduler"]:
        return executor == "LocalExecutor"
    return arguments[:2] == ["celery", "worker"]


if sys.argv[1:2] == ["api-server"]:
    _keep_the_api_server_moving()
if sys.argv[1:2] == ["dag-processor"] and sys.platform == "linux":
    _preload(_PRELOAD_FOR_FILES)
    _preload_own("of_files", generations=1)
if _forks_tasks(sys.argv[1:], os.environ.get("AIRFLOW__CORE__EXECUTOR", "LocalExecutor")):
    if sys.platform == "linux":  # on macOS tasks start in a new process and inherit nothing
        _preload_for_tasks()
        _tie_workers_and_tasks()
    _free_worker_slots_sooner()
    _wait_at_gate()
