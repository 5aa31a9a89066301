"""SIGKILL of a training's process anywhere, then the same task again: one version, one parent run, no run left open."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest
from mlflow.entities import LoggedModelStatus
from tests.support import toy

from airloop.models import model_version
from airloop.settings import Settings
from airloop.stores import state
from airloop.stores.mlflow import tracking

pytestmark = pytest.mark.integration

WINDOW = toy.days(0, 40)
CANDIDATES = ("logistic_regression", "gradient_boosting")
TASK = textwrap.dedent("""
    import importlib, os, signal, sys
    from tests.support import toy
    from airloop.run import stage_run, stages
    from airloop.settings import load_settings

    project, home, stage, candidate, point = sys.argv[1:]
    settings = load_settings(project_dir=project, home=home)
    options = {"candidate": candidate} if candidate else {}
    stages.find_stage(stage).function()
    if point:
        module, name = point.split(":")
        setattr(importlib.import_module(module), name, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
    toy.run(stage, settings, toy.days(0, 40), **options)
""")


@pytest.fixture
def settings(tmp_path) -> Settings:
    settings = toy.write_project(tmp_path / "project", Settings().project_dir)
    toy.land(settings, days=range(40))
    toy.run_data(settings, WINDOW)
    toy.run("snapshot", settings, WINDOW)
    return settings


def task(settings: Settings, stage: str, *, candidate: str = "", killed_at: str = "") -> None:
    """Run a stage in a process of its own, which dies where `killed_at` is called."""
    project = Settings().project_dir
    command = [sys.executable, "-W", "ignore", "-c", TASK]
    arguments = [str(settings.project_dir), str(settings.home), stage, candidate, killed_at]
    environment = {**os.environ, "PYTHONPATH": f"{project / 'include'}:{project}"}
    done = subprocess.run([*command, *arguments], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == (-signal.SIGKILL if killed_at else 0), done.stderr


@pytest.mark.parametrize(
    "killed_at",
    ["mlflow.sklearn:save_model", "airloop.stores.mlflow.tracking:register", "airloop.stores.state:save_record"],
    ids=["while_the_model_is_logged", "between_log_model_and_register", "after_it_was_registered"],
)
def test_a_killed_train_registers_one_version(settings, killed_at):
    for candidate in CANDIDATES:
        toy.run("tune", settings, WINDOW, candidate=candidate)
    task(settings, "train", killed_at=killed_at)
    assert state.latest_records(settings, "toy", "train") == []
    trained = toy.run("train", settings, WINDOW)
    toy.run("evaluate", settings, WINDOW)
    client, pipeline = tracking.client(settings), toy.toy_pipeline(settings)
    assert [int(version.version) for version in client.search_model_versions("name = 'toy'")] == [trained.version]
    experiment = tracking.experiment_id(pipeline, settings)
    runs = client.search_runs([experiment])
    assert [run.info.run_id for run in runs if "mlflow.parentRunId" not in run.data.tags] == [trained.run_id]
    assert len(runs) == 1 + len(CANDIDATES)
    assert {run.info.status for run in runs} == {"FINISHED"}
    logged = client.search_logged_models([experiment])
    assert [model.model_uri for model in logged if model.status == LoggedModelStatus.READY] == [trained.model_uri]
    assert LoggedModelStatus.PENDING not in [model.status for model in logged]
    model_version.load_version(pipeline, trained.version, settings)


@pytest.mark.parametrize("killed_at", ["airloop.models.tune:_log", "airloop.stores.state:save_record"])
def test_a_killed_tune_is_completed_in_the_same_run(settings, killed_at):
    task(settings, "tune", candidate="gradient_boosting", killed_at=killed_at)
    tuned = toy.run("tune", settings, WINDOW, candidate="gradient_boosting")
    runs = tracking.client(settings).search_runs([tracking.experiment_id(toy.toy_pipeline(settings), settings)])
    nested = [run for run in runs if "mlflow.parentRunId" in run.data.tags]
    assert [run.info.run_id for run in nested] == [tuned.run_id]
    assert nested[0].data.metrics["cv_brier"] == -tuned.score
    assert nested[0].info.status == "FINISHED"
