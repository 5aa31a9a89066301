"""`python -m benchmarks.own_project`: from an empty folder to a scored month of the example, as a new user gets there.

Makes the wheel, runs `airloop init`, `make demo` in the project, raises the package's version and looks whether
everything is still there. Prints the seconds of each step; the exit code is 1 when an empty folder takes BOUND seconds
or more to its scored month, or something is gone. The package index is asked as usual: a second run has a warm cache.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

CLONE = Path(__file__).resolve().parents[1]
OF_THE_WHEEL = (
    *("pyproject.toml", "setup.py", "README.md", "LICENSE", "docker-compose.yml", ".env.example"),
    *("requirements", "include", "dags", "plugins", "feature_repo", "examples"),
)
PIPELINE = "newark_temperature"
BOUND = 300.0
"""Seconds; making the wheel, which a package index will hold one day, does not count."""
HIGHER = "99.0.0"

T = TypeVar("T")


def build(root: Path, number: str) -> Path:
    """The wheel of this checkout under a version number, built from a copy: nothing is written to the checkout."""
    source = root / number
    source.mkdir(parents=True)
    for name in OF_THE_WHEEL:
        if (CLONE / name).is_dir():
            shutil.copytree(CLONE / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            shutil.copyfile(CLONE / name, source / name)
    declared = (source / "pyproject.toml").read_text()
    (source / "pyproject.toml").write_text(declared.replace('\nversion = "', f'\nversion = "{number}" # "', 1))
    command = [sys.executable, "-c", "from setuptools.build_meta import build_wheel as b; print(b('../dist'))"]
    (root / "dist").mkdir(exist_ok=True)
    subprocess.run(command, cwd=source, check=True, capture_output=True, timeout=120)
    (wheel,) = (root / "dist").glob(f"airloop-{number}-*.whl")
    return wheel


def main() -> int:
    """Measure below a temporary folder, which goes at the end."""
    with tempfile.TemporaryDirectory(prefix="airloop-own-") as folder:
        root, step_seconds = Path(folder), {}
        wheel = _timed(step_seconds, "wheel", lambda: build(root, version("airloop")))
        project = root / "shop"
        airloop = str(Path(sys.executable).with_name("airloop"))
        _timed(step_seconds, "airloop init", lambda: _run([airloop, "init", str(project), "--wheel", str(wheel)], root))
        _timed(step_seconds, "environment", lambda: _run(["make", ".airloop/base.stamp"], project))
        _timed(step_seconds, "make demo", lambda: _run(["make", "demo"], project))
        seconds = sum(step_seconds.values()) - step_seconds["wheel"]
        print(f"{seconds:7.1f} s  from an empty folder to a scored month (bound {BOUND:.0f} s)")
        before = _ledger(project)
        _timed(step_seconds, f"raised to {HIGHER}", lambda: _raise_version(root, project))
        all_there = _ledger(project) == before and _scores_again(project)
        print("after the upgrade everything is still there" if all_there else "AFTER THE UPGRADE SOMETHING IS GONE")
    return 0 if all_there and seconds < BOUND else 1


def _timed(step_seconds: dict[str, float], name: str, step: Callable[[], T]) -> T:
    began = time.monotonic()
    result = step()
    step_seconds[name] = time.monotonic() - began
    print(f"{step_seconds[name]:7.1f} s  {name}", flush=True)
    return result


def _run(command: list[str], folder: Path) -> str:
    """A command's output; what it says is shown when it fails."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("AIRLOOP_", "AIRFLOW", "PYTHON"))
    }
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=1800, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def _ledger(project: Path) -> list[object]:
    shown: list[object] = json.loads(_run([".airloop/venv/bin/airloop", "ledger", "show", PIPELINE, "--json"], project))
    if not shown:
        raise SystemExit("the ledger of the example is empty")
    return shown


def _raise_version(root: Path, project: Path) -> None:
    shutil.copy(build(root, HIGHER), project / "wheels")
    declared = (project / "requirements.txt").read_text()
    lines = [f"airloop=={HIGHER}" if line.startswith("airloop==") else line for line in declared.splitlines()]
    (project / "requirements.txt").write_text("\n".join(lines) + "\n")
    _run(["make", ".airloop/base.stamp"], project)
    program = "from importlib.metadata import version; print(version('airloop'))"
    installed = _run([".airloop/venv/bin/python", "-c", program], project).strip()
    if installed != HIGHER:
        raise SystemExit(f"the project has airloop {installed}, not {HIGHER}")


def _scores_again(project: Path) -> bool:
    """Whether the champion is still in force and predicts the month again."""
    window = ["--start", "2013-06-01T00:00:00Z", "--end", "2013-07-01T00:00:00Z"]
    record = json.loads(_run([".airloop/venv/bin/airloop", "run", "score", PIPELINE, *window], project))
    return bool(record["version"]) and record["rows"] > 0


if __name__ == "__main__":
    sys.exit(main())
