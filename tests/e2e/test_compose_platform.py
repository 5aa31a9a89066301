"""docker-compose.yml on PostgreSQL, Redis and Celery without containers: its services are healthy, closed, and work."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from tests.support import compose_native, toy
from tests.support.waiting import bound

from airloop.records import Materialized
from airloop.settings import Settings
from airloop.stores import state
from airloop_platform.replay.airflow_client import AirflowClient
from airloop_platform.supervisor import Platform

pytestmark = pytest.mark.e2e

REPOSITORY = Path(__file__).resolve().parents[2]
SERVICES = ("api-server", "scheduler", "dag-processor", "triggerer", "worker", "mlflow")
WINDOW = toy.days(0, 3)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    root = tmp_path_factory.mktemp("compose") / "project"
    made = toy.write_project(root, REPOSITORY)
    for name in (
        "dags",
        "plugins",
        "include/airloop",
        "include/airloop_airflow",
        "include/airloop_platform",
        "requirements",
    ):
        (root / name).symlink_to(REPOSITORY / name)
    toy.land(made, days=range(3))
    return made


@pytest.fixture(scope="module")
def machine(
    settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[compose_native.Machine, str, str]]:
    with (
        compose_native.machine(settings) as here,
        compose_native.running(here, SERVICES) as parts,
    ):
        yield here, parts.airflow_url, parts.mlflow_url


def test_a_data_run_goes_through_a_celery_worker(machine, settings: Settings) -> None:
    here, airflow, _ = machine
    login = Platform(airflow, "", "admin", here.env["AIRFLOW_ADMIN_PASSWORD"], "")
    with AirflowClient(login) as client:
        client.wait_for_dags(("toy__data",), seconds=bound(120))
        started = client.start("toy__data", {"start": toy.text(WINDOW.start), "end": toy.text(WINDOW.end)})
        client.wait(started, seconds=900, on_tasks=lambda _tasks: None)
        states = {task["task_id"]: task["state"] for task in client.tasks(started)}
        # No window was refused that had to be left to a run of its own.
        assert states.pop("alone") == "skipped"
        assert set(states.values()) == {"success"}
    log = (settings.home / "logs" / "worker.log").read_text()
    assert log.count("final_state=success") >= 5
    there = here.command("worker").environment
    production = settings.model_copy(update={"state_url": there["AIRLOOP_STATE_URL"]})
    (record,) = state.latest_records(production, "toy", "materialize", window=WINDOW)
    assert Materialized.from_json(record).rows == {"job_static": 3 * toy.ROWS_A_DAY, "machine_heat": 5}
    assert not (settings.home / "state.db").exists()
    online = json.loads(there["AIRLOOP_ONLINE_STORE"])
    engine = sa.create_engine(f"postgresql+psycopg2://airloop@/{online['database']}?host={online['host']}")
    tables = sa.inspect(engine).get_table_names()
    engine.dispose()
    assert [name for name in tables if "job_static" in name] != []


def test_nobody_comes_in_without_the_passwords_of_the_env_file(machine) -> None:
    here, airflow, mlflow = machine
    wrong = httpx.post(f"{airflow}/auth/token", json={"username": "admin", "password": "admin"})
    assert wrong.status_code == httpx.codes.UNAUTHORIZED
    experiments = f"{mlflow}/api/2.0/mlflow/experiments/search?max_results=1"
    assert httpx.get(experiments).status_code == httpx.codes.UNAUTHORIZED
    login = ("admin", here.env["MLFLOW_ADMIN_PASSWORD"])
    assert httpx.get(experiments, auth=login).status_code == httpx.codes.OK


def test_no_secret_is_in_a_log_or_a_shared_file(machine, settings: Settings) -> None:
    here, _, _ = machine
    secrets = [value.encode() for value in here.env.values() if value.startswith("s3cret-")]
    assert len(secrets) == 7
    files = [path for path in settings.home.rglob("*") if path.is_file()]
    found = [path for path in files if any(secret in path.read_bytes() for secret in secrets)]
    assert [path.name for path in found] == ["airflow_passwords.json"]
