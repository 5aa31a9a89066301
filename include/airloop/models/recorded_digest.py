"""The SHA-256 of a version's files as the ledger recorded it: other files are refused, an older champion is sealed."""

from typing import Protocol

from airloop.config import Pipeline
from airloop.errors import GuardRefused
from airloop.settings import Settings
from airloop.stores import ledger
from airloop.stores.ledger import Draft
from airloop.stores.mlflow import model_files
from airloop.stores.mlflow.model_files import Files


class Loaded(Protocol):
    """A version that was loaded, and the digest of its files as they were."""

    @property
    def version(self) -> int:
        """Its number."""

    @property
    def digest(self) -> str:
        """SHA-256 over its files."""


def refuse_changed(model_name: str, version: int, files: Files, settings: Settings, *, digest: str = "") -> str:
    """The digest of a version's files, when it is the one on record.

    What the ledger recorded counts (`ledger_digest`); a version that airloop registered before it took digests has none
    until its first promotion or scoring writes one.

    Raises:
        GuardRefused: The files are not those that were judged.
    """
    own = model_files.digest(files)
    for recorded in filter(None, (digest, ledger_digest(settings, model_name, version))):
        if own != recorded:
            raise GuardRefused(
                f"the files of {model_name} version {version} were changed: SHA-256 {own[:12]}, on record is "
                f"{recorded[:12]}; put the original files back"
            )
    return own


def ledger_digest(settings: Settings, model_name: str, version: int) -> str:
    """The first digest the ledger recorded of a version; empty when it has none."""
    kinds = ("decision", "refitted", "intended", "done", "sealed")
    recorded = (
        str(entry.payload.get("model_digest") or "")
        for entry in ledger.entries(settings, model_name, kinds=kinds, about_version=version)
        if entry.payload.get("version") == version
    )
    return next(filter(None, recorded), "")


def record_digest(pipeline: Pipeline, version: Loaded, settings: Settings) -> None:
    """Put the digest of a champion that was promoted before digests were taken on record; its first scoring does."""
    done = ledger.entries(settings, pipeline.name, kind="done")
    mine = [entry for entry in done if entry.payload["version"] == version.version]
    if not mine or ledger_digest(settings, pipeline.name, version.version):
        return
    says = "promoted before digests were taken: the files that serve from now on"
    payload = {"version": version.version, "model_digest": version.digest, "why": says}
    draft = Draft(mine[-1].effective_at, payload)
    ledger.append_once(
        settings,
        pipeline.name,
        kind="sealed",
        make=lambda entries: next((entry for entry in entries if entry.payload["version"] == version.version), draft),
        kinds=["sealed"],
    )
