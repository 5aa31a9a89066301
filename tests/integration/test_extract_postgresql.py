"""Feeds from a real PostgreSQL: the same features as from files, corrections once, and nothing lost by a kill."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support import toy, toy_sql
from tests.support.waiting import bound

from airloop.data import inbox
from airloop.deployment import Deployment
from airloop.records import BuiltFeatures, Ingested, Validated
from airloop.settings import Settings
from airloop.sources.extract import extract

pytestmark = pytest.mark.integration

REPOSITORY = Path(__file__).parents[2]
# One process of a machine of its own: a home, and the landing folder and database of all.
EXTRACT = """
import sys
from airloop.deployment import Deployment
from airloop.settings import load_settings
from airloop.sources.extract import extract
from tests.support import marked_points, toy

project, home, landing, url, end = sys.argv[1:]
settings = load_settings(project_dir=project, home=home, landing_uri=landing, connections={"shop": url})
print("ready", flush=True)
sys.stdin.readline()
extract(Deployment(toy.toy_pipeline(settings), settings), toy.days(0, int(end)))
"""

# The sixth and later of the 250 files: one is opened to be written, one gets its name.
MOMENTS = {"writing": '"open", "/toy/jobs/", 7', "publishing": '"os.rename", "/toy/jobs/", 7'}


@pytest.fixture
def settings(tmp_path: Path, shop_url: str) -> Settings:
    return toy_sql.write_project(tmp_path / "project", REPOSITORY, shop_url)


def fetch(settings: Settings, first: int, end: int) -> None:
    extract(Deployment(toy.toy_pipeline(settings), settings), toy.days(first, end))


def start(settings: Settings, home: Path, end: int, *, program: str = EXTRACT) -> subprocess.Popen[str]:
    arguments = [settings.project_dir, home, settings.landing_uri, settings.connections["shop"], end]
    process = subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": f"{REPOSITORY}/include:{REPOSITORY}", "PATH": ""},
    )
    assert process.stdout.readline() == "ready\n"
    return process


def go(process: subprocess.Popen[str]) -> None:
    process.stdin.write("go\n")
    process.stdin.flush()


def landed_keys(settings: Settings) -> list[str]:
    contents = [text for name, text in toy_sql.landed(settings).items() if not name.startswith(".")]
    return sorted(line.split(",")[0] for text in contents for line in text.splitlines()[1:])


def features(settings: Settings) -> dict[str, tuple[int, str]]:
    built = toy.run("build_features", settings, toy.days(0, 6))
    assert isinstance(built, BuiltFeatures)
    return {view.table: (view.rows, view.digest) for view in built.views}


def test_rows_from_postgresql_become_the_features_that_files_give(settings: Settings, tmp_path: Path) -> None:
    from_files = toy.write_project(tmp_path / "files", REPOSITORY)
    toy.land(from_files, days=range(6))
    toy_sql.fill(settings, range(6))
    toy.run("extract", settings, toy.days(0, 6))
    for each in (from_files, settings):
        ingested, validated = (toy.run(stage, each, toy.days(0, 6)) for stage in ("ingest", "validate_raw"))
        assert isinstance(ingested, Ingested)
        assert isinstance(validated, Validated)
        assert {table.table: table.rows for table in ingested.tables}["jobs"] == 6 * toy.ROWS_A_DAY
    assert features(settings) == features(from_files)


def test_an_update_is_a_correction_of_its_window_exactly_once(settings: Settings) -> None:
    toy_sql.fill(settings, range(4))
    pipeline = toy.toy_pipeline(settings)

    def run_day(day: int) -> None:
        for stage in ("extract", "ingest", "validate_raw", "build_features"):
            toy.run(stage, settings, toy.days(day, day + 1))

    for day in range(4):
        run_day(day)
    assert inbox.waiting_windows(pipeline, settings) == ()
    toy_sql.update(settings, "j001-007", toy_sql.noon(4), size=999)
    fetch(settings, 4, 5)
    waiting = inbox.waiting_windows(pipeline, settings)
    # Day 1 has the changed file; days 2 and 3 look back on it.
    assert [item.window for item in waiting] == [toy.days(day, day + 1) for day in (1, 2, 3)]
    for day in (1, 2, 3):
        run_day(day)
    assert inbox.waiting_windows(pipeline, settings) == ()
    assert [name for name in toy_sql.landed(settings) if "to20200106" in name] == [
        "2020-01-02.to20200106T000000Z.from20200105T000000Z.csv",
        "2020-01-05.to20200106T000000Z.from20200105T000000Z.csv",
    ]


def test_two_machines_that_fetch_a_window_at_once_land_each_row_once(settings: Settings, tmp_path: Path) -> None:
    toy_sql.many_rows(settings, 10, 1000)
    with start(settings, tmp_path / "home1", 1) as one, start(settings, tmp_path / "home2", 1) as other:
        go(one)
        go(other)
        assert (one.wait(bound(60)), other.wait(bound(60))) == (0, 0)
    assert len(landed_keys(settings)) == len(set(landed_keys(settings))) == 10_000
    assert [name for name in toy_sql.landed(settings) if name.startswith(".")] == []


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_extraction_is_completed_by_the_next(settings: Settings, tmp_path: Path, moment: str) -> None:
    toy_sql.many_rows(settings, 250, 100)
    program = EXTRACT.replace("\nextract(", f"\nmarked_points.die_before({MOMENTS[moment]})\nextract(")
    with start(settings, tmp_path / "home", 1, program=program) as process:
        go(process)
        assert process.wait() == -signal.SIGKILL
    names = [path.name for path in (Path(settings.landing_uri) / "toy" / "jobs").glob("*")]
    assert len(names) > 5
    assert any(not name.startswith(".") for name in names) is (moment == "publishing")
    assert len(landed_keys(settings)) < 25_000
    toy.run("extract", settings, toy.days(0, 1))
    assert len(landed_keys(settings)) == len(set(landed_keys(settings))) == 25_000


def test_memory_does_not_grow_with_the_table(settings: Settings, tmp_path: Path) -> None:
    toy_sql.many_rows(settings, 2, 150_000)
    peak = "resource.getrusage(resource.RUSAGE_SELF).ru_maxrss"
    program = EXTRACT.replace("\nextract(", f"\nimport resource; before = {peak}\nextract(")
    with start(settings, tmp_path, 1, program=f"{program}print({peak} - before)") as process:
        printed, _ = process.communicate("go\n", timeout=bound(120))
    landed_bytes = sum(path.stat().st_size for path in (Path(settings.landing_uri) / "toy" / "jobs").glob("*"))
    assert landed_bytes > 80 * 2**20
    assert int(printed) * 1024 < 30 * 2**20
