"""What a promotion asks of the registry: an unknown version is refused, and what does not answer may be retried."""

import subprocess
from unittest.mock import create_autospec

import mlflow.artifacts
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from airloop.errors import GuardRefused, UpstreamUnavailable
from airloop.gate import fresh_process
from airloop.models import model_version
from airloop.stores.mlflow import registry

# MLflow 3.17 on SQLAlchemy 2.1; it goes when MLflow stops using `noload`.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:sqlalchemy.exc.SADeprecationWarning")

NAME = "flight_delays"


def test_an_unregistered_version_is_refused(registry_settings):
    with pytest.raises(GuardRefused, match="cannot find version 9 of flight_delays"):
        fresh_process.check_model(registry_settings, NAME, 9)
    with pytest.raises(GuardRefused, match="cannot point champion at version 9"):
        registry.set_alias(registry_settings, NAME, "champion", 9)


def test_a_registry_that_does_not_answer_may_be_retried(registry_settings, monkeypatch):
    silent = create_autospec(MlflowClient)
    silent.get_registered_model.side_effect = MlflowException("connection refused")
    monkeypatch.setattr(registry, "client", lambda _: silent)
    with pytest.raises(UpstreamUnavailable, match=r"connection refused .cannot read the aliases of flight_delays"):
        registry.aliases(registry_settings, NAME)


def test_files_that_cannot_be_read_may_be_retried(registry_settings, monkeypatch):
    def broken(*_, **__):
        raise OSError("bucket not reachable")

    monkeypatch.setattr(mlflow.artifacts, "download_artifacts", broken)
    with pytest.raises(UpstreamUnavailable, match=r"bucket not reachable .cannot download version 1 of flight_delays"):
        fresh_process.check_model(registry_settings, NAME, 1)


def test_a_check_that_does_not_end_may_be_retried(registry_settings, monkeypatch):
    def hangs(command, **options):
        raise subprocess.TimeoutExpired(command, options["timeout"])

    monkeypatch.setattr(model_version, "version_files", lambda *_: {})
    monkeypatch.setattr(fresh_process.subprocess, "run", hangs)
    with pytest.raises(UpstreamUnavailable, match="version 1: no answer in 300 s"):
        fresh_process.check_model(registry_settings, NAME, 1)
