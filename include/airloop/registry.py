"""MLflow's model registry as a projection of the ledger: aliases, tags of versions, and the move of a champion.

The registered model has the pipeline's name. The version with alias `candidate` is the newest trained one, `challenger`
passed its gates and waits, `champion` is in force.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mlflow.artifacts
from mlflow.exceptions import MlflowException

from airloop import ledger, tracking_tables
from airloop.errors import GuardRefused, UpstreamUnavailable
from airloop.ledger import Draft, Entry, History
from airloop.settings import Settings
from airloop.tracking import client

CHAMPION = "champion"
CHALLENGER = "challenger"
CANDIDATE = "candidate"
DECISION_SEQUENCE = "airloop.decision_sequence"
DECISION_HASH = "airloop.decision_hash"

_ABSENT = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")

logger = logging.getLogger(__name__)


def aliases(settings: Settings, model_name: str) -> dict[str, int]:
    """Alias -> version of a registered model; empty when the model is not registered.

    Raises:
        UpstreamUnavailable: The registry does not answer; so raises every function here.
    """
    try:
        with _answers("read the aliases", model_name):
            found = client(settings).get_registered_model(model_name).aliases
    except GuardRefused:
        return {}
    return {alias: int(version) for alias, version in found.items()}


def set_alias(settings: Settings, model_name: str, alias: str, version: int) -> None:
    """Point an alias at a version; a second call changes nothing.

    Raises:
        GuardRefused: The version is not registered.
    """
    with _answers(f"point {alias} at version {version}", model_name):
        client(settings).set_registered_model_alias(model_name, alias, str(version))


def delete_alias(settings: Settings, model_name: str, alias: str) -> None:
    """Remove an alias; removing one that is not there changes nothing."""
    with _answers(f"remove {alias}", model_name):
        client(settings).delete_registered_model_alias(model_name, alias)


def tag_version(settings: Settings, model_name: str, version: int, tags: dict[str, str]) -> None:
    """Write tags onto a version, replacing equal keys.

    Raises:
        GuardRefused: The version is not registered.
    """
    with _answers(f"tag version {version}", model_name):
        registered = client(settings)
        for key, value in tags.items():
            registered.set_model_version_tag(model_name, str(version), key, value)


def named_decisions(settings: Settings, model_name: str) -> dict[int, tuple[int, str]]:
    """Version -> the number of the newest decision about it and its hash in the ledger, as its tags name them.

    The hash is empty on versions that were decided before hashes were written there.
    """
    if tracking_tables.missing(settings.mlflow_tracking_uri):
        return {}
    with _answers("read the versions", model_name):
        versions = client(settings).search_model_versions(f"name = '{model_name}'")
    return {
        int(version.version): (int(version.tags[DECISION_SEQUENCE]), version.tags.get(DECISION_HASH, ""))
        for version in versions
        if version.tags.get(DECISION_SEQUENCE, "").isdecimal()
    }


def describe_version(settings: Settings, model_name: str, version: int, text: str) -> None:
    """What the registry's page says of a version, in place of what it said before.

    Raises:
        GuardRefused: The version is not registered.
    """
    with _answers(f"describe version {version}", model_name):
        client(settings).update_model_version(model_name, str(version), description=text)


def download_model(settings: Settings, model_name: str, version: int, *, folder: Path) -> Path:
    """Copy the files of a registered version below `folder`.

    Raises:
        GuardRefused: The version is not registered.
        UpstreamUnavailable: Its files cannot be read.
    """
    with _answers(f"download version {version}", model_name):
        client(settings).get_model_version(model_name, str(version))
        try:
            # A models:/ URI is looked up in the global registry, whatever URIs this call is given; `client` set it.
            path = mlflow.artifacts.download_artifacts(f"models:/{model_name}/{version}", dst_path=str(folder))
        except OSError as error:
            raise UpstreamUnavailable(f"files of {model_name} version {version} cannot be read: {error}") from error
        return Path(path)


def finish_promotion(settings: Settings, intended: Entry) -> Entry:
    """Move the alias as `intended` says and append `done`; safe to call again after a kill at any point."""
    pipeline, decision_sequence = intended.pipeline, intended.payload["decision_sequence"]
    model_name, version = intended.payload["model_name"], intended.payload["version"]
    finished = ledger.history(settings, pipeline).done_of(decision_sequence)
    if finished is not None:  # moving the alias again could undo a later promotion
        return finished
    set_alias(settings, model_name, CHAMPION, version)
    if aliases(settings, model_name).get(CHALLENGER) == version:
        delete_alias(settings, model_name, CHALLENGER)
    draft = Draft(intended.effective_at, {**intended.payload, "intended_sequence": intended.sequence})
    done = ledger.append_once(
        settings,
        pipeline,
        kind="done",
        make=lambda seen: History(seen).done_of(decision_sequence) or draft,
        kinds=["done"],
    )
    logger.info("%s: version %d is champion from %s on", pipeline, version, intended.effective_at.isoformat())
    return done


@contextmanager
def _answers(doing: str, model_name: str) -> Iterator[None]:
    """MLflow's errors as ours: what does not exist is refused, everything else may be retried."""
    try:
        yield
    except MlflowException as error:
        if error.error_code in _ABSENT:
            raise GuardRefused(f"cannot {doing} of {model_name}: {error.message}") from error
        raise UpstreamUnavailable(f"cannot {doing} of {model_name}: MLflow says {error.message}") from error
