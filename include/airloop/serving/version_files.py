"""`python -m airloop.serving.version_files NAME VERSION`: fetch a version's files from MLflow and keep a copy.

The service reads copies. Where there is none, it lets a process of its own fetch one: importing MLflow here would cost
seconds of the requests under way, and most of the service's memory for good.
"""

import subprocess
import sys
from pathlib import Path

from airloop.errors import AirloopError, GuardRefused, UpstreamUnavailable
from airloop.models import recorded_digest
from airloop.settings import Settings, apply_quiet_environment
from airloop.stores import model_copies
from airloop.stores.mlflow import model_files

_SECONDS = 300
_REFUSED, _UNAVAILABLE = 3, 4


def files(model_name: str, version: int, settings: Settings) -> dict[str, bytes]:
    """The files of a version that the ledger names: of the copy where that is what was judged, else fetched.

    Raises:
        GuardRefused: It is not registered, or its files are gone.
        UpstreamUnavailable: MLflow or its file store does not answer.
    """
    recorded = recorded_digest.ledger_digest(settings, model_name, version)
    copies = model_copies.kept(settings, model_name, version)
    if recorded and model_files.digest(copies) == recorded:
        return copies
    if "mlflow" in sys.modules:
        return _fetched(model_name, version, settings)
    _fetch_elsewhere(model_name, version, settings)
    return model_copies.kept(settings, model_name, version)


def _fetched(model_name: str, version: int, settings: Settings) -> dict[str, bytes]:
    from airloop.models import model_version

    contents = model_version.version_files(model_name, version, settings)
    model_copies.keep(settings, model_name, version, contents)
    return contents


def _fetch_elsewhere(model_name: str, version: int, settings: Settings) -> None:
    command = [sys.executable, "-m", __name__, model_name, str(version)]
    # Started there, the new process imports this very airloop; settings go by stdin, which nobody else reads.
    root = Path(__file__).parents[2]
    settings_json = settings.model_dump_json(exclude={"connections"})
    try:
        done = subprocess.run(
            command, input=settings_json, capture_output=True, text=True, check=False, cwd=root, timeout=_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise UpstreamUnavailable(f"{model_name} version {version}: MLflow does not answer in {_SECONDS} s") from error
    if done.returncode:
        last_line = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise (GuardRefused if done.returncode == _REFUSED else UpstreamUnavailable)(last_line)


def main(arguments: list[str]) -> int:
    """0, or the kind of the error, with what it says on stderr."""
    apply_quiet_environment()
    try:
        settings = Settings.model_validate_json(sys.stdin.read())
        _fetched(arguments[0], int(arguments[1]), settings)
    except AirloopError as error:
        sys.stderr.write(" ".join(str(error).split()) + "\n")
        return _REFUSED if isinstance(error, GuardRefused) else _UNAVAILABLE
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
