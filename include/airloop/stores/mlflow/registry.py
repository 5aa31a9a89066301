"""MLflow's model registry as a projection of the ledger: aliases, tags of versions, and the move of a champion.

The registered model has the pipeline's name. The version with alias `candidate` is the newest trained one, `challenger`
passed its gates and waits, `champion` is in force.
"""

import logging
from dataclasses import dataclass

from airloop.errors import GuardRefused
from airloop.settings import Settings
from airloop.stores import ledger
from airloop.stores.ledger import Draft, Entry, History, is_rollback
from airloop.stores.mlflow import tag_names, tracking_tables
from airloop.stores.mlflow.border import answering
from airloop.stores.mlflow.tracking import client

CHAMPION_ALIAS = "champion"
CHALLENGER = "challenger"
CANDIDATE = "candidate"
DECISION_SEQUENCE = "airloop.decision_sequence"
DECISION_HASH = "airloop.decision_hash"
_NUMBERS = range(1, 2**31)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RegisteredVersion:
    """A version's tags, the URI of the logged model or folder that it is a version of, and the run that logged it."""

    tags: dict[str, str]
    source: str
    run_id: str


def aliases(settings: Settings, model_name: str) -> dict[str, int]:
    """Alias -> version of a registered model; empty when the model is not registered.

    Raises:
        UpstreamUnavailable: The registry does not answer; so raises every function here.
    """
    registered = client(settings)
    try:
        with answering(settings, f"read the aliases of {model_name}"):
            by_alias = registered.get_registered_model(model_name).aliases
    except GuardRefused:
        return {}
    return {alias: int(version) for alias, version in by_alias.items()}


def set_alias(settings: Settings, model_name: str, alias: str, version: int) -> None:
    """Point an alias at a version; a second call changes nothing.

    Raises:
        GuardRefused: The version is not registered.
    """
    registered = client(settings)
    with answering(settings, f"point {alias} at version {version} of {model_name}"):
        registered.set_registered_model_alias(model_name, alias, str(version))


def delete_alias(settings: Settings, model_name: str, alias: str) -> None:
    """Remove an alias; removing one that is not there changes nothing."""
    registered = client(settings)
    with answering(settings, f"remove {alias} of {model_name}"):
        registered.delete_registered_model_alias(model_name, alias)


def version_of(settings: Settings, model_name: str, version: int) -> RegisteredVersion:
    """What the registry knows of a version.

    Raises:
        GuardRefused: The version is not registered.
    """
    if version not in _NUMBERS:  # a database fails at them, which would look like an outage
        raise GuardRefused(f"there is no version {version} of {model_name}; `airloop ledger show` names the versions")
    registered = client(settings)
    with answering(settings, f"find version {version} of {model_name}"):
        registration = registered.get_model_version(model_name, str(version))
    return RegisteredVersion(dict(registration.tags), str(registration.source), str(registration.run_id or ""))


def is_registered(settings: Settings, model_name: str, version: int) -> bool:
    """Whether a version is there."""
    try:
        version_of(settings, model_name, version)
    except GuardRefused:
        return False
    return True


def tag_version(settings: Settings, model_name: str, version: int, tags: dict[str, str]) -> None:
    """Write tags onto a version, replacing equal keys.

    Raises:
        GuardRefused: The version is not registered.
    """
    registered = client(settings)
    with answering(settings, f"tag version {version} of {model_name}"):
        for key, value in tags.items():
            registered.set_model_version_tag(model_name, str(version), key, value)


def describe_version(settings: Settings, model_name: str, version: int, text: str) -> None:
    """What the registry's page says of a version, in place of what it said before.

    Raises:
        GuardRefused: The version is not registered.
    """
    registered = client(settings)
    with answering(settings, f"describe version {version} of {model_name}"):
        registered.update_model_version(model_name, str(version), description=text)


def fingerprint_tag(settings: Settings, model_name: str, version: int) -> str:
    """The fingerprint of the features a version was trained on; empty when MLflow does not have the version."""
    try:
        return str(version_of(settings, model_name, version).tags.get(tag_names.FEATURE_FINGERPRINT, ""))
    except GuardRefused:
        return ""


def named_decisions(settings: Settings, model_name: str) -> dict[int, tuple[int, str]]:
    """Version -> the number of the newest decision about it and its hash in the ledger, as its tags name them.

    The hash is empty on versions that were decided before hashes were written there.
    """
    if tracking_tables.missing(settings.mlflow_tracking_uri):
        return {}
    registered = client(settings)
    with answering(settings, f"read the versions of {model_name}"):
        versions = registered.search_model_versions(f"name = '{model_name}'")
    return {
        int(version.version): (int(version.tags[DECISION_SEQUENCE]), version.tags.get(DECISION_HASH, ""))
        for version in versions
        if version.tags.get(DECISION_SEQUENCE, "").isdecimal()
    }


def champions_decision(settings: Settings, model_name: str) -> dict[int, tuple[int, str]]:
    """As `named_decisions`, of the version with the alias `champion`, or the one it is a refit of; empty without one.

    Raises:
        GuardRefused: The alias points at a version that is gone.
    """
    if tracking_tables.missing(settings.mlflow_tracking_uri):
        return {}
    version = aliases(settings, model_name).get(CHAMPION_ALIAS)
    tags = version_of(settings, model_name, version).tags if version else {}
    if judged := tags.get(tag_names.REFIT_OF, ""):
        version, tags = int(judged), version_of(settings, model_name, int(judged)).tags
    sequence = tags.get(DECISION_SEQUENCE, "")
    return {version: (int(sequence), tags.get(DECISION_HASH, ""))} if version and sequence.isdecimal() else {}


def finish_move(settings: Settings, intended: Entry) -> Entry:
    """Move the alias as `intended` says and append its end: `done` of a promotion, `rolled_back` of a rollback.

    Safe to call again after a kill at any point, and while another process finishes the same move or a later one.
    """
    pipeline = intended.pipeline
    model_name, version = intended.payload["model_name"], intended.payload["version"]
    finished = ledger.history(settings, pipeline).end_of(intended)
    if finished is not None:  # moving the alias again could undo a later promotion
        return finished
    set_alias(settings, model_name, CHAMPION_ALIAS, version)
    if aliases(settings, model_name).get(CHALLENGER) in (version, intended.payload.get("refit_of") or version):
        delete_alias(settings, model_name, CHALLENGER)
    kind = "rolled_back" if is_rollback(intended) else "done"
    payload = {"model_digest": "", **intended.payload, "intended_sequence": intended.sequence}
    draft = Draft(intended.effective_at, payload)
    ended = ledger.append_once(
        settings,
        pipeline,
        kind=kind,
        make=lambda entries: History(entries).end_of(intended) or draft,
        kinds=[kind],
    )
    _follow(settings, pipeline, model_name, moved_to=version)
    logger.info("%s: version %d is champion from %s on", pipeline, version, intended.effective_at.isoformat())
    return ended


def _follow(settings: Settings, pipeline: str, model_name: str, *, moved_to: int) -> None:
    """Let the alias follow a later move that another process made between this one's look and its move of the alias."""
    champion = ledger.history(settings, pipeline).champion()
    if champion is not None and champion != moved_to:
        set_alias(settings, model_name, CHAMPION_ALIAS, champion)
