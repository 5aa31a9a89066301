"""The landing folder is listed in the order in which files landed; half-written and foreign files are left alone."""

import hashlib
import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support import toy
from tests.support.waiting import bound

from airloop.config import Feed, Pipeline
from airloop.errors import ConfigError, UpstreamUnavailable
from airloop.records import Window
from airloop.settings import Settings
from airloop.stores.landed_files import (
    ListedFile,
    checksum,
    corrected,
    file_span,
    is_release,
    list_files,
    named,
    of_period,
    release_name,
    window_files,
)

COLUMNS = {"id": "string", "at": "timestamp", "size": "integer", "heat": "float", "ok": "boolean"}
FEED = Feed(files="{day}.csv", key=("id",), event_time="at", columns=COLUMNS)
NEW_YORK = FEED.model_copy(update={"day_timezone": "America/New_York"})
SUFFIXED = FEED.model_copy(update={"files": "{day}_jobs.csv"})
HOURLY = FEED.model_copy(update={"files": "{day}T{hour}.csv"})
PREFIXED = FEED.model_copy(update={"files": "jobs-{day}.csv"})
FILE = "2020-01-01.csv"
# Airflow and the tests fork processes that have the stages imported: the import must not start polars' threads.
FORK = """
import os
import airloop.data.ingest, airloop.data.validate_raw
from airloop.config import Feed
from airloop.data import file_rows

child = os.fork()
if child == 0:
    feed = Feed(files="t.csv", key=("id",), columns={"id": "integer", "at": "timestamp"})
    file_rows.parse("t.csv", b"id,at\\n1,2020-01-01T00:00:00Z\\n", feed, span=None, max_bad_share=0)
    os._exit(0)
raise SystemExit(os.waitpid(child, 0)[1])
"""


def _touch(settings: Settings, *names: str, feed: str = "jobs") -> None:
    folder = Path(settings.landing_uri) / "toy" / feed
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text(name)


def _names(pipeline: Pipeline, settings: Settings, window: Window) -> list[str]:
    return [file.uri.rsplit("/", 1)[-1] for file in window_files(pipeline, window, settings)]


@pytest.mark.parametrize(
    ("feed", "name", "start", "hours"),
    [
        (FEED, "2020-01-31.csv", "2020-01-31T00:00:00Z", 24),
        (FEED, "2020-01-31.1.csv", "2020-01-31T00:00:00Z", 24),
        (FEED, "2020-01-31-corrected.csv", "2020-01-31T00:00:00Z", 24),
        (PREFIXED, "jobs-2020-01-31.csv", "2020-01-31T00:00:00Z", 24),
        (NEW_YORK, "2020-01-31.csv", "2020-01-31T05:00:00Z", 24),
        (NEW_YORK, "2020-03-08.csv", "2020-03-08T05:00:00Z", 23),
        (NEW_YORK, "2020-11-01.csv", "2020-11-01T04:00:00Z", 25),
    ],
)
def test_a_name_says_the_local_day_its_events_lie_in(feed: Feed, name: str, start: str, hours: int) -> None:
    first = datetime.fromisoformat(start)
    assert file_span(feed, name) == Window(first, first + timedelta(hours=hours))


@pytest.mark.parametrize(
    "name",
    [
        ".2020-01-31.csv",
        "_2020-01-31.csv",
        "2020-01-31.csv.part",
        "2020-01-31.csv~",
        "2020-01-31.csv.gz",
        "2020-01-31",
        "2020-02-30.csv",
        "2020-01-311.csv",
        "2020-W05-5.csv",
        "20200131.csv",
        "readme.csv",
        "jobs.csv",
        "9999-12-31.csv",
    ],
)
def test_half_written_and_foreign_names_hold_no_day(name: str) -> None:
    assert file_span(FEED, name) is None
    assert file_span(PREFIXED, f"old-{name}") is None


@given(name=st.text(max_size=20) | st.dates().map(lambda day: f"{day}.csv"))
@example(name="0001-01-01.csv")
@example(name="9999-12-31.csv")
def test_no_file_name_breaks_the_listing(name: str) -> None:
    for feed in (FEED, PREFIXED, NEW_YORK):
        assert file_span(feed, name) is None or name.endswith(".csv")


def test_corrections_are_read_after_what_they_correct_in_their_order(toy_settings: Settings) -> None:
    ordered = ["2020-01-01.csv", "2020-01-01.1.csv", "2020-01-01.2.csv", "2020-01-01.10.csv", "2020-01-02.csv"]
    _touch(toy_settings, *sorted(ordered))
    assert _names(toy.toy_pipeline(toy_settings), toy_settings, toy.days(0, 2)) == ordered


def test_a_correction_is_read_after_its_file_whatever_follows_the_day_in_the_name(toy_settings: Settings) -> None:
    ordered = ["2020-01-01_jobs.csv", "2020-01-01.1_jobs.csv", "2020-01-01.10_jobs.csv", "2020-01-02_jobs.csv"]
    pipeline = toy.toy_pipeline(toy_settings)
    named = pipeline.feeds["jobs"].model_copy(update={"files": "{day}_jobs.csv"})
    _touch(toy_settings, *sorted(ordered))
    found = list_files(pipeline.model_copy(update={"feeds": {"jobs": named}}), toy_settings)
    assert [file.name for file in found] == ordered


@pytest.mark.parametrize(
    ("feed", "hour", "correction"),
    [(FEED, 0, "2020-01-31.1.csv"), (SUFFIXED, 0, "2020-01-31.1_jobs.csv"), (HOURLY, 7, "2020-01-31T07.1.csv")],
)
def test_a_correction_is_about_the_period_of_its_file(feed: Feed, hour: int, correction: str) -> None:
    declared, later = named(feed, date(2020, 1, 31), hour), named(feed, date(2020, 2, 1), hour)
    assert corrected(feed, declared, 1) == correction
    files = [ListedFile("jobs", name, name, "", 0.0) for name in (declared, correction, later, "somebody's.txt")]
    assert [file.name for file in of_period(feed, declared, files)] == [declared, correction]
    assert of_period(feed, "somebody's.txt", files) == []


@pytest.mark.parametrize(
    ("feed", "landed", "expected", "upstream"),
    [
        (FEED, ["2020-01-31.csv"], "2020-01-31.0.release.1.csv", "2020-01-31.1.csv"),
        (FEED, ["2020-01-31.csv", "2020-01-31.3.csv"], "2020-01-31.3.release.1.csv", "2020-01-31.4.csv"),
        (FEED, ["2020-01-31.9.csv"], "2020-01-31.9.release.1.csv", "2020-01-31.10.csv"),
        (FEED, ["2020-01-31.3.csv", "2020-01-31.3.release.9.csv"], "2020-01-31.3.release.10.csv", "2020-01-31.4.csv"),
        (FEED, ["2020-01-31.0.release.1.csv", "2020-01-31.1.csv"], "2020-01-31.1.release.1.csv", "2020-01-31.2.csv"),
        (FEED, ["2020-01-31_fix.csv"], "2020-01-31_fix.0.release.1.csv", "2020-01-31_fix.1.csv"),
        (FEED, [], "2020-01-31.0.release.1.csv", "2020-01-31.1.csv"),
        (PREFIXED, ["jobs-2020-01-31.1.csv"], "jobs-2020-01-31.1.release.1.csv", "jobs-2020-01-31.2.csv"),
        (SUFFIXED, ["2020-01-31_jobs.csv"], "2020-01-31.0.release.1_jobs.csv", "2020-01-31.1_jobs.csv"),
        (HOURLY, ["2020-01-31T00.csv"], "2020-01-31T00.0.release.1.csv", "2020-01-31T00.1.csv"),
    ],
)
def test_released_rows_are_read_after_what_landed_and_before_the_next_correction(
    toy_settings: Settings, feed: Feed, landed: list[str], expected: str, upstream: str
) -> None:
    declared = named(feed, date(2020, 1, 31))
    assert release_name(feed, declared, landed) == expected
    assert is_release(expected)
    assert not any(map(is_release, {*landed, upstream} - {name for name in landed if "release" in name}))
    assert file_span(feed, expected) == file_span(feed, upstream)
    folder = Path(toy_settings.landing_uri) / "toy" / "jobs"
    folder.mkdir(parents=True)
    for name in (*landed, expected, upstream):
        (folder / name).touch()
    pipeline = toy.toy_pipeline(toy_settings)
    found = list_files(pipeline.model_copy(update={"feeds": {"jobs": feed}}), toy_settings)
    assert [file.name for file in found] == [*landed, expected, upstream]


def test_a_window_reads_the_local_days_that_overlap_it(toy_settings: Settings) -> None:
    _touch(toy_settings, *(f"2020-01-0{day}.csv" for day in range(1, 6)))
    utc = toy.toy_pipeline(toy_settings)
    zoned = utc.feeds["jobs"].model_copy(update={"day_timezone": "America/New_York"})
    local = utc.model_copy(update={"feeds": {**utc.feeds, "jobs": zoned}})
    assert _names(utc, toy_settings, toy.days(1, 3)) == ["2020-01-02.csv", "2020-01-03.csv"]
    assert _names(local, toy_settings, toy.days(1, 3)) == ["2020-01-01.csv", "2020-01-02.csv", "2020-01-03.csv"]


def test_static_files_belong_to_every_window_and_only_under_their_name(toy_settings: Settings) -> None:
    _touch(toy_settings, "machines.csv", "machines.1.csv", "other.csv", feed="machines")
    pipeline = toy.toy_pipeline(toy_settings)
    assert _names(pipeline, toy_settings, toy.days(0, 1)) == ["machines.csv"]
    assert _names(pipeline, toy_settings, toy.days(40, 41)) == ["machines.csv"]


def test_hidden_half_written_and_foreign_files_are_not_read(toy_settings: Settings) -> None:
    _touch(toy_settings, ".2020-01-01.csv", "2020-01-01.csv.part", "_2020-01-01.csv", "readme.md")
    (Path(toy_settings.landing_uri) / "toy" / "jobs" / "2020-01-01.csv").mkdir()
    assert _names(toy.toy_pipeline(toy_settings), toy_settings, toy.days(0, 1)) == []


def test_an_empty_landing_folder_lists_nothing(toy_settings: Settings) -> None:
    assert list_files(toy.toy_pipeline(toy_settings), toy_settings) == ()


def test_the_stamp_changes_when_a_file_is_replaced(toy_settings: Settings) -> None:
    pipeline = toy.toy_pipeline(toy_settings)
    _touch(toy_settings, FILE)
    before = list_files(pipeline, toy_settings)
    (Path(toy_settings.landing_uri) / "toy" / "jobs" / FILE).write_text("another length")
    assert [file.uri for file in list_files(pipeline, toy_settings)] == [file.uri for file in before]
    assert list_files(pipeline, toy_settings)[0].stamp != before[0].stamp


def test_a_checksum_is_of_the_bytes(toy_settings: Settings) -> None:
    _touch(toy_settings, FILE)
    (listed,) = list_files(toy.toy_pipeline(toy_settings), toy_settings)
    landed = checksum(listed, toy_settings)
    assert (landed.feed, landed.size_bytes) == ("jobs", len(FILE))
    assert landed.sha256 == hashlib.sha256(FILE.encode()).hexdigest()


def test_a_landing_folder_of_an_unknown_kind_is_the_authors_mistake(toy_settings: Settings) -> None:
    settings = toy_settings.model_copy(update={"landing_uri": "nosuchkind://landing"})
    with pytest.raises(ConfigError, match="AIRLOOP_LANDING_URI nosuchkind://landing"):
        list_files(toy.toy_pipeline(settings), settings)


def test_a_landing_folder_that_does_not_answer_is_retried_and_never_taken_for_an_empty_one(
    toy_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ConnectionRefusedError("nobody there")

    monkeypatch.setattr(MemoryFileSystem, "ls", refuse)
    monkeypatch.setattr(MemoryFileSystem, "info", refuse)
    settings = toy_settings.model_copy(update={"landing_uri": "memory://landing"})
    with pytest.raises(UpstreamUnavailable, match="memory://landing/toy/jobs cannot be listed: nobody there"):
        list_files(toy.toy_pipeline(settings), settings)


def test_a_forked_process_reads_files_although_the_stages_were_imported_before() -> None:
    assert subprocess.run([sys.executable, "-c", FORK], timeout=bound(120), check=False).returncode == 0
