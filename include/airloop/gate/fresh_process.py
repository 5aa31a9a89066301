"""Whether a version loads and predicts in a process of its own: looked at before the alias of the champion moves."""

import subprocess
import sys
import tempfile
from pathlib import Path

from airloop.errors import GuardRefused, UpstreamUnavailable
from airloop.models import model_version, recorded_digest
from airloop.settings import Settings
from airloop.stores import model_copies
from airloop.stores.mlflow import model_files

_CHECK_SECONDS = 300


def check_model(
    settings: Settings, model_name: str, version: int, *, digest: str = "", reviewed: frozenset[str] = frozenset()
) -> str:
    """Load a version in a fresh process and predict on its input example; a copy of its files is kept for the service.

    Args:
        digest: What its files must hash to; empty for a decision made before digests were taken.
        reviewed: Classes that the pipeline's declaration trusts beyond the list (Training.reviewed_types).

    Returns:
        SHA-256 of the files that were checked.

    Raises:
        GuardRefused: Its files are gone or were changed, it does not load, or its predictions are not valid.
        UpstreamUnavailable: Its files cannot be read, or the process takes longer than 300 s.
    """
    files = model_version.version_files(model_name, version, settings)
    own_digest = recorded_digest.refuse_changed(model_name, version, files, settings, digest=digest)
    with tempfile.TemporaryDirectory(prefix="airloop-model-") as folder:
        model_files.write(files, Path(folder))
        command = [
            sys.executable,
            "-m",
            "airloop.gate.model_check",
            folder,
            str(settings.project_dir),
            *sorted(reviewed),
        ]
        # Started there, the new process imports this very airloop, installed or not.
        root = Path(__file__).parents[2]
        try:
            result = subprocess.run(
                command, capture_output=True, text=True, check=False, cwd=root, timeout=_CHECK_SECONDS
            )
        except subprocess.TimeoutExpired as error:
            raise UpstreamUnavailable(f"{model_name} version {version}: no answer in {_CHECK_SECONDS} s") from error
    if result.returncode != 0:
        last_line = (result.stderr.strip().splitlines() or [f"exit code {result.returncode}"])[-1]
        raise GuardRefused(f"{model_name} version {version} does not predict in a fresh process: {last_line}")
    model_copies.keep(settings, model_name, version, files)
    return own_digest
