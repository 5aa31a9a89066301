"""Records stand as long as the lake holds what they say was written: not after it was lost or restored."""

import shutil
from pathlib import Path

import pytest
from tests.support import lake_rows
from tests.support.lake_rows import FEBRUARY, JANUARY

from airloop.errors import UpstreamUnavailable
from airloop.records import TableVersion
from airloop.settings import Settings, load_settings
from airloop.stores import lake


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path)


@pytest.fixture
def uri(settings: Settings) -> str:
    return lake.table_uri(settings, "toy", "raw", "jobs")


def _written(uri: str, settings: Settings) -> list[TableVersion]:
    return [lake_rows.replace(uri, settings, window, lake_rows.row(1, window)) for window in (JANUARY, FEBRUARY)]


def test_what_was_written_stands_whatever_is_written_after_it(uri: str, settings: Settings) -> None:
    assert lake.fallen_behind(_written(uri, settings), settings) == ""


def test_it_stands_in_a_home_that_moved(uri: str, settings: Settings, tmp_path: Path) -> None:
    written = _written(uri, settings)
    shutil.move(settings.lake_uri, tmp_path / "elsewhere" / "lake")
    assert lake.fallen_behind(written, load_settings(home=tmp_path / "elsewhere")) == ""


def test_a_lake_of_a_backup_is_behind(uri: str, settings: Settings, tmp_path: Path) -> None:
    first = lake_rows.replace(uri, settings, JANUARY, lake_rows.row(1, JANUARY))
    shutil.copytree(uri, tmp_path / "backup")
    second = lake_rows.replace(uri, settings, FEBRUARY, lake_rows.row(1, FEBRUARY))
    shutil.rmtree(uri)
    shutil.move(tmp_path / "backup", uri)
    assert lake.fallen_behind([first], settings) == ""
    assert lake.fallen_behind([second], settings) == f"{uri} is at version 0, and version 1 of it is on record"


def test_a_lake_that_is_gone_is_behind(uri: str, settings: Settings) -> None:
    written = _written(uri, settings)
    shutil.rmtree(uri)
    assert lake.fallen_behind(written, settings) == f"{uri} is not there, and version 0 of it is on record"
    assert lake.newest(written, settings) == {uri: -1}


@pytest.mark.parametrize("part", ["*.parquet", "_delta_log/*.json"])
def test_a_table_whose_files_are_gone_or_spoiled_says_the_way_out(uri: str, settings: Settings, part: str) -> None:
    _written(uri, settings)
    for path in Path(uri).rglob(part):
        path.unlink() if part == "*.parquet" else path.write_text("{}")
    with pytest.raises(UpstreamUnavailable, match=r"restore the lake from a backup, or remove this table's folder"):
        lake.read(uri, settings)
