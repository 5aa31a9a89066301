"""The house stands: no circles, few rooms and arrows, and a planted import upwards is refused by the contracts."""

import shutil
import subprocess
import sys
from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parents[2]
Arrows = set[tuple[str, str]]


@pytest.fixture(scope="module")
def files() -> Arrows:
    """Importing module -> imported module, below include/airloop; imports for types alone and lazy ones included."""
    graph = grimp.build_graph("airloop", cache_dir=None)
    return {(name, other) for name in graph.modules for other in graph.find_modules_directly_imported_by(name)}


def rooms(arrows: Arrows) -> Arrows:
    """The same between the packages, and loose modules, right below include/airloop."""
    pairs = ((one.split(".")[1], other.split(".")[1]) for one, other in arrows if "." in one and "." in other)
    return {(one, other) for one, other in pairs if one != other}


def circle(arrows: Iterable[tuple[str, str]]) -> list[str]:
    """One circle; empty when there is none."""
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for one, other in arrows:
        sorter.add(one, other)
    try:
        sorter.prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_files_and_no_packages_import_each_other_in_a_circle(files: Arrows) -> None:
    assert circle(files) == []
    assert circle(rooms(files)) == []
    assert circle({*files, ("airloop.errors", "airloop.stores.state")}) != []


def test_rooms_and_arrows_stay_few(files: Arrows) -> None:
    arrows = rooms(files)
    assert len({room for arrow in arrows for room in arrow}) <= 30
    assert len(arrows) <= 160


@pytest.mark.integration
@pytest.mark.parametrize(
    ("planted", "imports", "broken"),
    [
        ("airloop/stores/lake.py", "airloop.gate.judge", "Every floor stands on the ones below"),
        ("airloop/errors.py", "airloop.settings", "Every floor stands on the ones below"),
        ("airloop/upstairs.py", "airloop.errors", "Every floor stands on the ones below"),
        ("airloop/models/train.py", "airloop.models.evaluate", "Stages do not know each other"),
        ("airloop/data/ingest.py", "airflow", "The library is free of Airflow"),
        ("airloop/settings.py", "airloop_airflow.pipelines", "The platform stands on Airflow's parts"),
    ],
)
def test_a_planted_import_upwards_is_refused(tmp_path: Path, planted: str, imports: str, broken: str) -> None:
    ignore = shutil.ignore_patterns("__pycache__", "*.egg-info", "pipelines")
    shutil.copytree(ROOT / "include", tmp_path / "include", ignore=ignore)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / "include" / planted).open("a") as module:
        module.write(f"\nimport {imports}\n")
    program = (
        f"import sys; sys.path[:0] = [{str(tmp_path / 'include')!r}]; from importlinter.cli import lint_imports;"
        "sys.exit(lint_imports(no_cache=True))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert any(line.startswith(broken) and line.endswith("BROKEN") for line in done.stdout.splitlines())
