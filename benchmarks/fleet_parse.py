"""What Airflow's processor takes to read the DAGs of 200 pipelines, against as many plain DAGs of the same tasks."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from airloop.errors import DataContractError
from airloop.settings import Settings, load_settings
from benchmarks.row import Row
from benchmarks.session import Session

NAME = "parse and serialise the DAGs of 200 pipelines / as many plain DAGs of the same tasks"
BOUND = 1.5
UNIT = "s"

SIZES, TRIALS = (10, 50, 200), 3

_REPOSITORY = Path(__file__).resolve().parents[1]
_LINKED = ("dags", "plugins", "requirements", "include/airloop", "include/airloop_airflow", "include/airloop_platform")
_SHIPPED = "flight_delays"

_PARSE = """
import gc, json, os, sys, time
from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.serialized_objects import DagSerialization
from airflow.providers.standard.operators import empty, trigger_dagrun
import airflow.triggers.base
gc.freeze()
for path in sys.argv[2:]:
    sys.stdout.flush()
    if os.fork():
        os.wait()
        continue
    began = time.process_time()
    bag = DagBag(dag_folder=path)
    written = {dag_id: DagSerialization.to_dict(dag) for dag_id, dag in bag.dags.items()}
    seconds = time.process_time() - began
    edges = {i: {t.task_id: sorted(t.upstream_task_ids) for t in dag.tasks} for i, dag in bag.dags.items()}
    print(json.dumps({"seconds": seconds, "edges": edges, "errors": list(bag.import_errors.values())}), flush=True)
    os._exit(0)
"""
"""Each file in a fork of a process that has imported Airflow and set its objects aside, as its processor does."""

_PLAIN = """
from airflow.sdk import DAG, task
EDGES = {edges!r}
for dag_id, tasks in EDGES.items():
    with DAG(dag_id, schedule=None):
        made = {{}}
        for name in tasks:
            @task(task_id=name)
            def work():
                pass
            made[name] = work()
        for name, before in tasks.items():
            for other in before:
                made[other] >> made[name]
"""


def measure(session: Session) -> Row:
    """Processor time of all files together, the least of a few."""
    sides = {}
    for number in SIZES:
        session.say(f"{number} pipelines")
        settings = write_fleet(session.folder("fleet"), number)
        sides[number] = both(settings)
    ours, peer = sides[SIZES[-1]]
    each = ", ".join(f"{number}: {one:.2f} / {other:.2f} s" for number, (one, other) in sides.items())
    return Row(NAME, ours, peer, BOUND, UNIT, f"processor time without imports; pipelines {each}")


def both(settings: Settings) -> tuple[float, float]:
    """Seconds of our files, and of a plain file of the same DAGs and tasks.

    Raises:
        DataContractError: A file could not be read, or the plain DAGs have other tasks.
    """
    ours = [_parsed(settings, _files(settings)) for _ in range(TRIALS)]
    edges = _edges(ours[0])
    plain = settings.project_dir / "plain.py"
    plain.write_text(_PLAIN.format(edges=edges), encoding="utf-8")
    peers = [_parsed(settings, [plain]) for _ in range(TRIALS)]
    if peers[0][0]["edges"] != edges:
        raise DataContractError("the plain DAGs are not those of the pipelines")
    return _least(ours), _least(peers)


def edges_of(settings: Settings) -> dict[str, dict[str, list[str]]]:
    """DAG id -> task id -> the tasks before it, of all DAGs of a project."""
    return _edges(_parsed(settings, _files(settings)))


def _files(settings: Settings) -> list[Path]:
    return sorted((settings.project_dir / "dags").glob("*.py"))


def _edges(files: list[dict[str, Any]]) -> dict[str, dict[str, list[str]]]:
    return {dag: tasks for file in files for dag, tasks in file["edges"].items()}


def _least(trials: list[list[dict[str, Any]]]) -> float:
    return min(sum(file["seconds"] for file in trial) for trial in trials)


def _parsed(settings: Settings, files: list[Path]) -> list[dict[str, Any]]:
    root = settings.project_dir
    names = ("dags", "plugins", "include", "include/airloop_platform/airflow_config")
    folders = os.pathsep.join(str(root / name) for name in names)
    environment = os.environ | {
        "AIRFLOW_HOME": str(settings.home / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(root / "plugins"),
        "AIRFLOW__DAG_PROCESSOR__DAGBAG_IMPORT_TIMEOUT": "0",
        "AIRLOOP_PROJECT_DIR": str(root),
        "AIRLOOP_HOME": str(settings.home),
        "PYTHONPATH": folders,
    }
    command = [sys.executable, "-c", _PARSE, "dag-processor", *map(str, files)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    read = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"seconds"')]
    errors = [error for file in read for error in file["errors"]]
    if errors or len(read) != len(files):
        raise DataContractError(f"DAG files could not be read: {errors[:1] or done.stderr[-500:]}")
    return read


def write_fleet(root: Path, number: int) -> Settings:
    """A project of so many pipelines like the shipped one; code and DAG files are the repository's."""
    for name in ("include/pipelines", "feature_repo"):
        (root / name).mkdir(parents=True)
    for name in _LINKED:
        (root / name).symlink_to(_REPOSITORY / name)
    shipped = _REPOSITORY / "include" / "pipelines" / _SHIPPED
    for name in (f"{_SHIPPED}_{place:03}" for place in range(number)):
        folder = root / "include" / "pipelines" / name
        folder.mkdir()
        for file in ("pipeline.yaml", "features.sql", "expectations.yaml"):
            text = (shipped / file).read_text(encoding="utf-8")
            (folder / file).write_text(text.replace(f"name: {_SHIPPED}\n", f"name: {name}\n", 1), encoding="utf-8")
        definitions = (_REPOSITORY / "feature_repo" / f"{_SHIPPED}.py").read_text(encoding="utf-8")
        own = definitions.replace(f"{_SHIPPED}/features", f"{name}/features")
        (root / "feature_repo" / f"{name}.py").write_text(own, encoding="utf-8")
    store = (_REPOSITORY / "feature_repo" / "feature_store.yaml").read_text(encoding="utf-8")
    (root / "feature_repo" / "feature_store.yaml").write_text(store, encoding="utf-8")
    return load_settings(project_dir=root, home=root / "home")
