"""The files of a registered version or a logged model, read once: deleted files are refused, an outage is retried."""

import tempfile
from pathlib import Path

import fsspec
import mlflow.artifacts

from airloop.errors import GuardRefused, UpstreamUnavailable
from airloop.settings import Settings
from airloop.stores.mlflow import model_files, registry, tracking
from airloop.stores.mlflow.border import answering, in_one_line


def version_files(model_name: str, version: int, settings: Settings) -> dict[str, bytes]:
    """The files of a registered version, read once.

    Raises:
        GuardRefused: It is not registered, or its files are gone.
        UpstreamUnavailable: MLflow or its file store does not answer.
    """
    registry.version_of(settings, model_name, version)
    return files_at(f"models:/{model_name}/{version}", settings, of=f"version {version} of {model_name}")


def files_at(model_uri: str, settings: Settings, *, of: str) -> dict[str, bytes]:
    """The files of a logged model, read once.

    Raises:
        GuardRefused: There are none.
        UpstreamUnavailable: They cannot be read, or the place that holds all models is not there.
    """
    tracking.client(settings)
    with tempfile.TemporaryDirectory(prefix="airloop-model-") as folder:
        # Whatever the file store's own library raises means the same: it did not answer.
        try:
            with answering(settings, f"download {of}"):
                # A models:/ URI is looked up in the global registry, whatever this call is given; `client` set it.
                path = mlflow.artifacts.download_artifacts(model_uri, dst_path=folder)
                files = model_files.read(Path(path))
        except (GuardRefused, UpstreamUnavailable):
            raise
        except Exception as error:
            raise UpstreamUnavailable(f"files of {of} cannot be read: {in_one_line(error)}") from error
    if not files:
        _refuse_missing_root(settings, of)
        raise GuardRefused(f"the files of {of} are gone from MLflow's file store")
    return files


def _refuse_missing_root(settings: Settings, of: str) -> None:
    """An empty download means deleted files only where the place of all models is there."""
    root = settings.mlflow_artifact_uri
    if root.startswith("mlflow-artifacts:"):
        return
    try:
        system, path = fsspec.core.url_to_fs(root, **settings.storage_options)
        root_exists = system.exists(path)
    except Exception as error:  # each file system raises its own
        raise UpstreamUnavailable(f"MLflow's file store {root} does not answer: {in_one_line(error)}") from error
    if not root_exists:
        raise UpstreamUnavailable(f"files of {of} cannot be read: MLflow's file store {root} is not there")
