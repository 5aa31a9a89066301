"""The inbox looks at what changed, and finds what it would find by looking at everything."""

import os
from datetime import date
from pathlib import Path

import pytest
from tests.support.inbox_files import build, days, ingest, land, month

from airloop.config import Pipeline, load_pipeline
from airloop.data import settled
from airloop.data.inbox import waiting_windows
from airloop.settings import Settings, load_settings
from airloop.stores import landed_files


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path)


@pytest.fixture
def pipeline() -> Pipeline:
    return load_pipeline("flight_delays", load_settings())


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are read from now on."""
    seen: list[str] = []
    read = landed_files.read_bytes

    def counted(uri: str, settings: Settings) -> bytes:
        seen.append(uri.rsplit("/", 1)[-1])
        return read(uri, settings)

    monkeypatch.setattr(landed_files, "read_bytes", counted)
    return seen


@pytest.fixture
def old_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if every file had landed some time ago."""
    monkeypatch.setattr(settled, "_SURE_AFTER_SECONDS", -1.0)


def _three_months(settings: Settings, pipeline: Pipeline) -> None:
    land(settings, "departures", *days(date(2013, 1, 1), 90))
    for number in (1, 2, 3):
        ingest(settings, pipeline, month(number))
    assert waiting_windows(pipeline, settings) == ()


@pytest.mark.usefixtures("old_files")
def test_a_second_look_at_the_same_files_reads_none(pipeline: Pipeline, settings: Settings, reads: list[str]) -> None:
    _three_months(settings, pipeline)
    assert reads
    reads.clear()
    assert waiting_windows(pipeline, settings) == ()
    assert reads == []


@pytest.mark.usefixtures("old_files")
def test_of_a_corrected_file_its_windows_are_read_with_what_they_look_back_to(
    pipeline: Pipeline, settings: Settings, reads: list[str]
) -> None:
    _three_months(settings, pipeline)
    reads.clear()
    land(settings, "departures", date(2013, 3, 9), text="y")
    assert [item.window for item in waiting_windows(pipeline, settings)] == [month(3)]
    # February is read: by the lookback of March, whose run has a digest of it in its name.
    assert {name[:7] for name in reads} >= {"2013-02", "2013-03"}
    assert "2013-01-09.csv" not in reads


@pytest.mark.usefixtures("old_files")
def test_a_file_of_the_same_size_and_time_that_was_put_in_its_place_is_seen(
    pipeline: Pipeline, settings: Settings
) -> None:
    _three_months(settings, pipeline)
    path = settings.home / "landing" / "flight_delays" / "departures" / "2013-03-09.csv"
    was = path.stat()
    other = path.with_name(".other")
    other.write_text("y")
    os.utime(other, ns=(was.st_atime_ns, was.st_mtime_ns))
    other.replace(path)
    assert [item.window for item in waiting_windows(pipeline, settings)] == [month(3)]


@pytest.mark.usefixtures("old_files")
def test_a_window_that_was_ingested_from_other_files_waits_again(pipeline: Pipeline, settings: Settings) -> None:
    _three_months(settings, pipeline)
    folder = settings.home / "landing" / "flight_delays" / "departures"
    kept = (folder / "2013-03-09.csv").rename(folder / ".kept")
    ingest(settings, pipeline, month(3))
    kept.rename(folder / "2013-03-09.csv")
    assert [item.window for item in waiting_windows(pipeline, settings)] == [month(3)]


def test_a_file_that_changed_just_now_is_read_again(pipeline: Pipeline, settings: Settings, reads: list[str]) -> None:
    _three_months(settings, pipeline)
    reads.clear()
    assert waiting_windows(pipeline, settings) == ()
    assert reads


@pytest.mark.usefixtures("old_files")
def test_run_ids_are_those_of_a_look_at_everything(
    pipeline: Pipeline, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    _three_months(settings, pipeline)
    build(settings, month(3), version=7)
    land(settings, "departures", date(2013, 2, 9), text="y")
    remembered = waiting_windows(pipeline, settings)
    monkeypatch.setattr(settled, "read", lambda *_args: settled.Settled({}, ""))
    assert waiting_windows(pipeline, settings) == remembered
