"""What made an MLflow run: code, libraries, and the tags that say so."""

import functools
import hashlib
import subprocess
from pathlib import Path

from airloop.errors import GuardRefused
from airloop.project import LOCKS
from airloop.settings import Settings
from airloop.stores.mlflow import tag_names
from airloop.stores.mlflow.border import answering
from airloop.stores.mlflow.tracking import client


def provenance(settings: Settings) -> dict[str, str]:
    """Tags that say which code and libraries made a run: the git commit (with `-dirty`) and the lock file's digest."""
    lock = lock_file(settings)
    digest = hashlib.sha256(lock.read_bytes()).hexdigest() if lock else "unlocked"
    return {tag_names.CODE_COMMIT: code_commit(settings.project_dir), tag_names.LOCK_SHA256: digest}


def lock_file(settings: Settings) -> Path | None:
    """The project's own lock file, else the one that came with the installed package; None without either."""
    places = (settings.project_dir / "requirements" / "base.lock", LOCKS / "base.lock")
    return next((path for path in places if path.is_file()), None)


def run_tags(settings: Settings, run_id: str) -> dict[str, str]:
    """The tags of a run; empty when MLflow has no such run.

    Raises:
        UpstreamUnavailable: MLflow does not answer.
    """
    tracker = client(settings)
    try:
        with answering(settings, f"read the tags of run {run_id}"):
            return dict(tracker.get_run(run_id).data.tags)
    except GuardRefused:
        return {}


@functools.cache
def code_commit(project_dir: Path) -> str:
    """The commit of the checkout, `-dirty` with uncommitted changes, `unknown` outside git."""
    command = ["git", "-C", str(project_dir), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return "unknown"
