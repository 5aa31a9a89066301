"""Rows of a database land like files of an upstream system: by day, once, and changed rows as corrections."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from tests.support import toy, toy_sql

from airloop.data import inbox
from airloop.deployment import Deployment
from airloop.errors import DataContractError, GuardRefused
from airloop.records import Extracted, Window
from airloop.settings import Settings
from airloop.sources.extract import extract
from airloop.stores import lake

REPOSITORY = Path(__file__).parents[3]
FIRST = "2020-01-01.to20200102T000000Z.from20200101T000000Z.csv"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return toy_sql.write_project(tmp_path / "project", REPOSITORY, f"sqlite:///{tmp_path}/shop.db")


def add(settings: Settings, job: str, planned: datetime, updated: datetime | None = None, **values: object) -> None:
    row = {"job": job, "machine": "m1", "planned_at": planned, "starts_at": planned, "size": 1, **values}
    toy_sql.execute(settings, toy_sql.JOBS.insert().values(**row, updated_at=updated or planned))


def run(settings: Settings, first: int, end: int) -> Extracted:
    return extract(Deployment(toy.toy_pipeline(settings), settings), toy.days(first, end))


def jobs(settings: Settings) -> list[tuple[object, ...]]:
    table = pl.DataFrame(lake.read(lake.table_uri(settings, "toy", "raw", "jobs"), settings))
    return table.select("job", "machine", "size").sort("job").rows()


def test_rows_land_by_the_day_they_are_about_and_ingest_reads_them(settings: Settings) -> None:
    add(settings, "b", toy_sql.noon(0))
    add(settings, "a", toy_sql.noon(0), machine=None, size=None)
    add(settings, "c", toy_sql.noon(1), toy_sql.noon(0), machine="")
    assert run(settings, 0, 1).rows == {"jobs": 3, "machines": 0}
    assert toy_sql.landed(settings)[FIRST] == (
        '"job","machine","planned_at","starts_at","size","updated_at"\n'
        '"a",,2020-01-01T12:00:00.000000Z,2020-01-01T12:00:00.000000Z,,2020-01-01T12:00:00.000000Z\n'
        '"b","m1",2020-01-01T12:00:00.000000Z,2020-01-01T12:00:00.000000Z,1,2020-01-01T12:00:00.000000Z\n'
    )
    toy.run("ingest", settings, toy.days(0, 2))
    assert jobs(settings) == [("a", None, None), ("b", "m1", 1), ("c", "", 1)]


def test_a_window_holds_its_start_and_not_its_end(settings: Settings) -> None:
    second = timedelta(seconds=1)
    start, end = toy.days(1, 2).start, toy.days(1, 2).end
    for name, updated in {"before": start - second, "start": start, "last": end - second, "end": end}.items():
        add(settings, name, toy_sql.noon(1), updated)
    run(settings, 1, 2)
    (content,) = toy_sql.landed(settings).values()
    assert [line.split(",")[0] for line in content.splitlines()[1:]] == ['"last"', '"start"']


def test_a_day_without_rows_lands_a_file_without_rows(settings: Settings) -> None:
    add(settings, "a", toy_sql.noon(1))
    assert run(settings, 0, 1).rows["jobs"] == 0
    assert toy_sql.landed(settings)[FIRST] == '"job","machine","planned_at","starts_at","size","updated_at"\n'
    toy.run("ingest", settings, toy.days(0, 1))
    assert jobs(settings) == []


def test_a_window_fetched_again_replaces_nothing(settings: Settings) -> None:
    add(settings, "a", toy_sql.noon(0))
    add(settings, "b", toy_sql.noon(0))
    first = run(settings, 0, 1)
    before = toy_sql.landed(settings)
    toy_sql.update(settings, "a", toy_sql.noon(3), size=2)
    assert set(run(settings, 0, 1).files) == set(first.files)
    assert toy_sql.landed(settings) == before


def test_after_a_kill_between_two_files_the_record_names_all_files_of_the_window(settings: Settings) -> None:
    for day in (0, 1):
        add(settings, f"j{day}", toy_sql.noon(day))
    whole = run(settings, 0, 2)
    jobs_of_window = [uri for uri in whole.files if "/jobs/" in uri]
    assert len(jobs_of_window) == 2
    Path(jobs_of_window[1].removeprefix("file://")).unlink()
    again = run(settings, 0, 2)
    assert sorted(again.files) == sorted(whole.files)
    other = run(settings, 2, 3)
    assert not set(other.files) & set(jobs_of_window)


def test_a_changed_row_arrives_as_a_correction_of_its_own_day_exactly_once(settings: Settings) -> None:
    toy_sql.fill(settings, range(3))
    pipeline = toy.toy_pipeline(settings)
    for day in range(3):
        toy.run("extract", settings, toy.days(day, day + 1))
        toy.run("ingest", settings, toy.days(day, day + 1))
    assert inbox.waiting_windows(pipeline, settings) == ()
    toy_sql.update(settings, "j000-003", toy_sql.noon(3), size=77)
    toy_sql.update(settings, "j000-003", toy_sql.noon(3) + timedelta(hours=1), size=78)
    toy_sql.execute(settings, "DELETE FROM jobs WHERE job = 'j000-004'")
    toy.run("extract", settings, toy.days(3, 4))
    waiting = [item.window for item in inbox.waiting_windows(pipeline, settings)]
    assert waiting[0] == toy.days(0, 1)
    for window in waiting:
        toy.run("extract", settings, window)
        toy.run("ingest", settings, window)
    assert inbox.waiting_windows(pipeline, settings) == ()
    sizes = {job: size for job, _, size in jobs(settings)}
    assert (len(sizes), sizes["j000-003"]) == (3 * toy.ROWS_A_DAY, 78)


def test_of_two_windows_the_one_that_ends_later_is_read_last(settings: Settings) -> None:
    add(settings, "a", toy_sql.noon(1), size=1)
    run(settings, 1, 2)
    toy_sql.update(settings, "a", toy_sql.noon(5), size=2)
    run(settings, 0, 10)
    toy.run("ingest", settings, toy.days(1, 2))
    assert jobs(settings) == [("a", "m1", 2)]


def test_an_overlap_lands_the_row_that_was_committed_late_and_no_other(settings: Settings) -> None:
    toy_sql.declare(settings, "watermark: updated_at}", "watermark: updated_at, overlap_minutes: 1440}")
    add(settings, "a", toy_sql.noon(0), machine="two\nlines")
    add(settings, "b", toy_sql.noon(0))
    run(settings, 0, 1)
    assert run(settings, 1, 2).rows["jobs"] == 0
    assert [name[:10] for name in toy_sql.landed(settings)] == ["2020-01-01", "2020-01-02"]
    add(settings, "late", toy_sql.noon(1))
    assert run(settings, 2, 3).rows["jobs"] == 1
    assert [line for line in toy_sql.landed(settings).values() if "late" in line] != []
    assert [name[:10] for name in toy_sql.landed(settings)] == ["2020-01-01", "2020-01-02", "2020-01-02", "2020-01-03"]


def test_a_wider_window_lands_only_what_the_narrower_ones_have_missed(settings: Settings) -> None:
    add(settings, "a", toy_sql.noon(0))
    add(settings, "b", toy_sql.noon(1))
    for day in range(3):
        run(settings, day, day + 1)
    add(settings, "missed", toy_sql.noon(1))
    wider = run(settings, 0, 3)
    assert [Path(uri).name[:10] for uri in wider.files if "jobs" in uri] == ["2020-01-02"]
    assert wider.rows["jobs"] == 1


def test_a_static_table_is_landed_whole_each_time(settings: Settings) -> None:
    machines = toy_sql.MACHINES
    toy_sql.execute(
        settings, machines.insert().values([{"machine": "m1", "built": 2000}, {"machine": "m0", "built": None}])
    )
    run(settings, 0, 1)
    assert toy_sql.landed(settings, "machines") == {"machines.csv": '"machine","built"\n"m0",\n"m1",2000\n'}
    toy_sql.execute(settings, machines.delete().where(machines.c.machine == "m0"))
    run(settings, 1, 2)
    assert toy_sql.landed(settings, "machines") == {"machines.csv": '"machine","built"\n"m1",2000\n'}


def test_a_bad_row_lands_nothing_of_the_window(settings: Settings) -> None:
    add(settings, "a", toy_sql.noon(0))
    add(settings, "b", toy_sql.noon(1), toy_sql.noon(0), size="many")
    with pytest.raises(DataContractError, match="feed jobs: column 'size' of the row job b: 'many'"):
        run(settings, 0, 1)
    assert toy_sql.landed(settings) == toy_sql.landed(settings, "machines") == {}


def test_a_window_that_is_not_over_is_refused(settings: Settings) -> None:
    tomorrow = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    with pytest.raises(GuardRefused, match="is not over"):
        extract(Deployment(toy.toy_pipeline(settings), settings), Window(toy.START, tomorrow))


def test_a_window_within_a_second_is_refused(settings: Settings) -> None:
    window = Window(toy.START, toy.START + timedelta(milliseconds=1))
    with pytest.raises(DataContractError, match="whole seconds"):
        extract(Deployment(toy.toy_pipeline(settings), settings), window)


def test_the_stage_runs_once_for_a_window(settings: Settings) -> None:
    add(settings, "a", toy_sql.noon(0))
    first = toy.run("extract", settings, toy.days(0, 1))
    toy_sql.execute(settings, "DROP TABLE jobs")
    assert toy.run("extract", settings, toy.days(0, 1)) == first
