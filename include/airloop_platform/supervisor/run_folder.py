"""`<home>/run`: who supervises, which processes belong to it, the secrets. Files 0600, each replaced in one step."""

import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airloop.errors import AirloopError
from airloop.files import file_locks
from airloop.settings import Settings

# The databases of a new home take 15 MB, the logs of the first days a few more.
_ROOM_MB = 100


@dataclass(frozen=True)
class RunFolder:
    """The paths below `<home>/run`.

    Attributes:
        lock: Locked (flock) by the one supervisor, or by `down`; holds `{"role", "pid", "born"}` of the last holder.
        processes: `{"airflow_url", "mlflow_url", "services": {name: {"pid", "born"}}, "restarts": {name: number}}`;
            outlives a killed supervisor.
        platform: The fields of `Platform`; there from healthy until the stop begins.
        secrets: What Airflow signs and encrypts with, and the administrator's password.
        passwords: The file of Airflow's SimpleAuthManager.
        mlflow_secrets: The MLflow server's password and what it signs with.
        mlflow_auth: The configuration of its login; holds no secret.
        mlflow_users: Its database of users (hashed passwords).
        redis: Port and password of the Redis server; airloop.sources.streams reads it.
        temporary: TMPDIR of every service, for killed ones leave files there; removed at each start and stop.
    """

    lock: Path
    processes: Path
    platform: Path
    secrets: Path
    passwords: Path
    mlflow_secrets: Path
    mlflow_auth: Path
    mlflow_users: Path
    redis: Path
    temporary: Path


def run_folder(settings: Settings) -> RunFolder:
    """The run folder of this home, created with mode 0700 when missing."""
    root = settings.home / "run"
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    return RunFolder(
        lock=root / "supervisor.lock",
        processes=root / "processes.json",
        platform=root / "platform.json",
        secrets=root / "secrets.json",
        passwords=root / "airflow_passwords.json",
        mlflow_secrets=root / "mlflow_secrets.json",
        mlflow_auth=root / "mlflow_auth.ini",
        mlflow_users=root / "mlflow_users.db",
        redis=root / "redis.json",
        temporary=root / "tmp",
    )


def refuse_unusable_home(settings: Settings) -> None:
    """Refuse a home that cannot hold a platform before anything is started there.

    Raises:
        AirloopError: It cannot be written, or has less than 100 MB free.
    """
    home = settings.home
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home) as probe:
            probe.write(b"\0")
        free_mb = shutil.disk_usage(home).free // 10**6
    except OSError as error:
        message = f"{home} cannot be written ({error.strerror}): mend that, or set AIRLOOP_HOME to another folder"
        raise AirloopError(message) from error
    if free_mb < _ROOM_MB:
        message = (
            f"{home} has {free_mb} MB free, and a platform needs {_ROOM_MB}: free some, or set AIRLOOP_HOME elsewhere"
        )
        raise AirloopError(message)


def write_private(path: Path, payload: dict[str, Any]) -> None:
    """Replace `path` by the payload as JSON; it is never seen half-written nor, even briefly, readable by others."""
    write_private_text(path, json.dumps(payload))


def write_private_text(path: Path, text: str) -> None:
    """As `write_private`, for a file that is not JSON."""
    _private_copy(path, text).replace(path)


def create_private(path: Path, payload: dict[str, Any]) -> dict[str, Any]:
    """Write the payload unless the file is there; returns what the file holds: of two first writers one wins."""
    temporary = _private_copy(path, json.dumps(payload))
    try:
        with suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        temporary.unlink()
    return read_private(path) or {}


def read_private(path: Path) -> dict[str, Any] | None:
    """The file's content; None when it is missing or not a JSON object."""
    try:
        payload = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return None
    return payload if isinstance(payload, dict) else None


def _private_copy(path: Path, text: str) -> Path:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(text)
    return temporary


@contextmanager
def try_lock(path: Path, holder: dict[str, Any], *, named: bool = True) -> Iterator[bool]:
    """Hold the lock file for the block and name the holder in it; yields False, at once, when another process has it.

    Unless it has to be `named`, a full disk does not keep a holder away.
    """
    handle = file_locks.open_lock(path)
    try:
        if not file_locks.take_at_once(handle):
            yield False
            return
        os.ftruncate(handle, 0)
        with suppress(*(() if named else (OSError,))):
            os.pwrite(handle, json.dumps(holder).encode(), 0)
        yield True
    finally:
        os.close(handle)
