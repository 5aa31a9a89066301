"""A project of one's own with airloop installed from its wheel: no line of the checkout takes part."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from benchmarks.own_project import CLONE, PIPELINE, build
from tests.support import shop_own
from tests.support.shop_own import TITLE
from tests.support.waiting import bound

pytestmark = pytest.mark.integration
JUNE = ("--start", "2013-06-01T00:00:00Z", "--end", "2013-07-01T00:00:00Z")


@dataclass(frozen=True)
class Environment:
    """A virtual environment that has the dependencies of this one, and airloop from a wheel alone."""

    folder: Path

    def run(self, *command: str | Path, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("AIRLOOP_", "AIRFLOW", "PYTHON"))
        }
        program = self.folder / "bin" / command[0]
        return subprocess.run(
            [program, *command[1:]],
            cwd=cwd,
            env=kept | more,
            capture_output=True,
            text=True,
            timeout=bound(600),
            check=False,
        )

    def ok(self, *command: str | Path, cwd: Path, **more: str) -> str:
        done = self.run(*command, cwd=cwd, **more)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def install(self, wheel: Path) -> None:
        uv = CLONE / ".airloop" / "uv" / "bin" / "uv"
        command = [uv if uv.is_file() else "uv", "pip", "install", "--quiet", "--no-deps", "--python"]
        subprocess.run([*command, self.folder / "bin" / "python", wheel], check=True, timeout=bound(120))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("own")


@pytest.fixture(scope="module")
def environment(root: Path) -> Iterator[Environment]:
    folder = root / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, timeout=bound(60))
    # A folder that a .pth adds has its own .pth files left alone: not the editable checkout among them.
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    made = Environment(folder)
    made.install(build(root, "7.0.0"))
    return made


@pytest.fixture(scope="module")
def project(environment: Environment, root: Path) -> Path:
    (root / "work").mkdir()
    environment.ok("airloop", "init", "mine", cwd=root / "work")
    shop_own.declare_judges(root / "work" / "mine")
    return root / "work" / "mine"


def test_the_wheel_has_what_runs_and_nothing_of_the_clones_own_pipelines(
    environment: Environment, project: Path
) -> None:
    program = (
        "import airloop, airloop_airflow, airloop_platform, sys; print(airloop.__file__); print(*sys.path, sep='\\n')"
    )
    imported, *path = environment.ok("python", "-c", program, cwd=project).splitlines()
    assert Path(imported).is_relative_to(environment.folder)
    assert [folder for folder in path if folder.startswith(str(CLONE / "include"))] == []
    for module in ("nycflights", "digits", "pipelines"):
        assert environment.run("python", "-c", f"import {module}", cwd=project).returncode == 1
    program = "from airloop.project import LOCKS; print(*sorted(path.name for path in LOCKS.iterdir()))"
    assert environment.ok("python", "-c", program, cwd=project).split() == ["base.lock", "dev.lock", "production.lock"]


def test_outside_a_project_one_line_says_how_to_make_one(environment: Environment, root: Path) -> None:
    refused = environment.run("airloop", "pipelines", "check", cwd=root)
    assert refused.returncode == 1
    assert "airloop init DIR" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1


def test_every_place_is_the_projects(environment: Environment, project: Path) -> None:
    (project / "include" / "deeper").mkdir()
    program = (
        "from airloop.settings import load_settings as s; from airloop_platform.supervisor import airflow_environment\n"
        "e = airflow_environment(s(), airflow_port=1, mlflow_url='')\n"
        "print(s().home, e['AIRFLOW__CORE__DAGS_FOLDER'], *e['PYTHONPATH'].split(':'), sep='\\n')"
    )
    home, dags, *path = environment.ok("python", "-c", program, cwd=project / "include" / "deeper").splitlines()
    assert (home, dags) == (str(project / ".airloop"), str(project / "dags"))
    (config,) = path
    assert (Path(config) / "airflow_local_settings.py").is_file()
    assert Path(config).is_relative_to(environment.folder)
    shutil.rmtree(project / ".airloop")


def test_its_own_tests_pass_and_a_higher_version_finds_everything_there(
    environment: Environment, project: Path, root: Path
) -> None:
    runs = root / "runs"
    # What it refuses takes as long again; test_project_init looks at its text, and `make test` of a project runs it.
    said = environment.ok("python", "-m", "pytest", "-q", "-k", "champion or dag", f"--basetemp={runs}", cwd=project)
    assert "2 passed" in said
    (home,) = runs.glob("test_a_champion_scores*0")

    def airloop(*arguments: str) -> str:
        return environment.ok("airloop", *arguments, cwd=project, AIRLOOP_HOME=str(home))

    _what_it_brings_itself_is_used_and_shown(environment, airloop, project, home)
    before = _contents(project)
    ledger = airloop("ledger", "show", PIPELINE, "--json")
    environment.install(build(root, "8.0.0"))
    program = "from importlib.metadata import version; print(version('airloop'))"
    assert environment.ok("python", "-c", program, cwd=project).strip() == "8.0.0"
    assert airloop("ledger", "show", PIPELINE, "--json") == ledger
    assert json.loads(ledger)
    assert "nothing to do" in airloop("upgrade")
    again = json.loads(airloop("run", "score", PIPELINE, *JUNE))
    assert again["version"] == 2  # the refit of version 1
    assert again["rows"] > 700
    environment.ok("python", "-m", "pytest", "-q", "tests/test_dags.py", cwd=project)
    assert _contents(project) == before


def _contents(project: Path) -> dict[Path, bytes]:
    """What is the project's own: not its home, nor what tools keep."""
    files = (path for path in project.rglob("*") if path.is_file())
    return {path: path.read_bytes() for path in files if not any(word in str(path) for word in ("cache", "/.airloop/"))}


PAGES = """
from datetime import UTC, datetime
from airloop.pages import overview, version_page
from airloop.pages.site import Site
from airloop.settings import load_settings
site = Site(load_settings(), "/airloop", datetime.now(UTC))
print(overview.page(site, NAME), version_page.page(site, NAME, 1))
"""


def _what_it_brings_itself_is_used_and_shown(
    environment: Environment, airloop: Callable[..., str], project: Path, home: Path
) -> None:
    """Metric and rule judged the champion that scores; the source is added, and all are named, the trigger too."""
    shop_own.declare_source(project)
    assert json.loads(airloop("run", "extract", PIPELINE, *JUNE))["rows"] == {"stations": 1}
    airloop("run", "data", PIPELINE, *JUNE)
    own = (shop_own.METRIC, shop_own.RULE, shop_own.TRIGGER, shop_own.SOURCE)
    (checked,) = [line for line in airloop("pipelines", "check", PIPELINE).splitlines() if "of this project" in line]
    listed = airloop("list")
    assert [name for name in own if name not in checked or f"  {name} " not in listed] == []
    entries = json.loads(airloop("ledger", "show", PIPELINE, "--json"))
    (decision,) = [entry["payload"] for entry in entries if entry["kind"] == "decision"]
    said = {check["rule"]: check["says"] for check in decision["checks"]}
    assert said["shop_rows"].endswith("must be at least 100")
    assert any(TITLE in says for says in said.values())
    card = Path(airloop("card", PIPELINE, "1").split(": ", 1)[1].split(" and ")[0])
    shown = environment.ok("python", "-c", PAGES.replace("NAME", repr(PIPELINE)), cwd=project, AIRLOOP_HOME=str(home))
    for text in (card.read_text(encoding="utf-8"), shown):
        assert TITLE in text
        assert "must be at least 100" in text
