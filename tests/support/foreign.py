"""A Python of its own for what others wrote: asked for by --foreign-clients, as installing it takes a minute."""

import subprocess
from pathlib import Path

import pytest
from tests.conftest import REPOSITORY

UV = REPOSITORY / ".airloop/uv/bin/uv"


def python_with(package: str, folder: Path, config: pytest.Config) -> Path:
    """A Python that has the package; the test is skipped where it was not asked for, or cannot be installed."""
    if not config.getoption("--foreign-clients"):
        pytest.skip(f"--foreign-clients installs {package}")
    python = folder / "venv/bin/python"
    if not UV.exists():
        pytest.skip(f"{UV} is not there: `make test` puts it there")
    subprocess.run([UV, "venv", "--quiet", python.parents[1]], check=True, capture_output=True)
    install = [UV, "pip", "install", "--quiet", "--python", python, package]
    done = subprocess.run(install, capture_output=True, text=True, check=False, timeout=240)
    if done.returncode:
        pytest.skip(f"{package} cannot be installed here, offline perhaps: {done.stderr.strip()[-300:]}")
    return python
