"""Compaction changes the files of a table, and neither its rows nor any digest that an input key holds."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable
from tests.support import lake_rows
from tests.support.lake_rows import FEBRUARY, JANUARY, MARCH

from airloop.files import delta_log
from airloop.records import Window
from airloop.settings import Settings, load_settings
from airloop.stores import compaction, lake

YEAR = Window(datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC))
SPANS = (JANUARY, FEBRUARY, Window(JANUARY.start, MARCH.start), YEAR, None)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path)


@pytest.fixture
def uri(settings: Settings) -> str:
    """January in ten files, February in one."""
    uri = lake.table_uri(settings, "toy", "raw", "jobs")
    for number in range(10):
        day = Window(JANUARY.start + timedelta(days=number), JANUARY.start + timedelta(days=number + 1))
        lake_rows.replace(uri, settings, day, lake_rows.row(number, day))
    lake_rows.replace(uri, settings, FEBRUARY, lake_rows.row(99, FEBRUARY))
    return uri


def digests(uri: str, settings: Settings) -> list[str]:
    return [lake.files_digest(uri, settings, window=span) for span in SPANS]


def rows(uri: str, settings: Settings) -> list[dict[str, Any]]:
    return lake.read(uri, settings).sort_by("id").to_pylist()


def test_files_become_one_and_rows_and_digests_stay(uri: str, settings: Settings) -> None:
    before, held = digests(uri, settings), rows(uri, settings)
    assert compaction.compact_month(uri, "2020-01", settings) == 9
    assert len(DeltaTable(uri).files()) == 2
    assert (digests(uri, settings), rows(uri, settings)) == (before, held)


def test_again_there_is_nothing_to_do(uri: str, settings: Settings) -> None:
    compaction.compact_month(uri, "2020-01", settings)
    version = DeltaTable(uri).version()
    assert compaction.compact_month(uri, "2020-01", settings) == 0
    assert DeltaTable(uri).version() == version


def test_killed_before_it_was_noted_the_next_look_notes_it(uri: str, settings: Settings) -> None:
    before = digests(uri, settings)
    DeltaTable(uri).optimize.compact()
    assert digests(uri, settings) != before
    compaction.note(uri, settings)
    assert digests(uri, settings) == before


def test_a_correction_after_it_changes_the_digests_of_its_month_alone(uri: str, settings: Settings) -> None:
    compaction.compact_month(uri, "2020-01", settings)
    before = dict(zip(SPANS, digests(uri, settings), strict=True))
    day = Window(JANUARY.start, JANUARY.start + timedelta(days=1))
    lake_rows.replace(uri, settings, day, lake_rows.row(7, day, 3.5))
    after = dict(zip(SPANS, digests(uri, settings), strict=True))
    assert [span for span in SPANS if after[span] == before[span]] == [FEBRUARY]


def test_a_month_that_was_corrected_is_compacted_again_under_its_new_digests(uri: str, settings: Settings) -> None:
    compaction.compact_month(uri, "2020-01", settings)
    day = Window(JANUARY.start + timedelta(days=20), JANUARY.start + timedelta(days=21))
    lake_rows.replace(uri, settings, day, lake_rows.row(15, day))
    before, held = digests(uri, settings), rows(uri, settings)
    assert compaction.compact_month(uri, "2020-01", settings) == 1
    assert (digests(uri, settings), rows(uri, settings)) == (before, held)


def test_a_window_is_replaced_whole_after_its_files_were_put_together(uri: str, settings: Settings) -> None:
    compaction.compact_month(uri, "2020-01", settings)
    lake_rows.replace(uri, settings, JANUARY, lake_rows.row(5, JANUARY, 1.25))
    assert [row["id"] for row in lake.read(uri, settings, where=lake.between("at", JANUARY)).to_pylist()] == [5]


def test_a_writer_that_is_faster_wins_and_nothing_is_merged(
    uri: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = DeltaTable(uri)
    delta_log.keep(opened)  # as every compaction before has: it is a commit, which looks again by itself
    day = Window(JANUARY.start, JANUARY.start + timedelta(days=1))
    lake_rows.replace(uri, settings, day, lake_rows.row(0, day, 3.5))
    monkeypatch.setattr(compaction, "DeltaTable", lambda *_args, **_options: opened)
    assert compaction.compact_month(uri, "2020-01", settings) == 0
    held = rows(uri, settings)
    assert (len(held), held[0]["value"]) == (11, 3.5)
