"""What a stage looked at is what it reads, whatever is written meanwhile; its key is of the months of the window."""

from pathlib import Path

import pytest
from tests.support import lake_rows
from tests.support.lake_rows import FEBRUARY, JANUARY

from airloop.files import delta_versions
from airloop.settings import Settings, load_settings
from airloop.stores import lake, tables_read


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path)


@pytest.fixture
def uri(settings: Settings) -> str:
    return lake.table_uri(settings, "toy", "raw", "jobs")


def test_what_is_written_after_the_look_is_not_read_and_makes_another_key(uri: str, settings: Settings) -> None:
    lake_rows.replace(uri, settings, JANUARY, lake_rows.row(1, JANUARY))
    looked = tables_read.look_at({"jobs": uri}, settings, window=JANUARY)
    lake_rows.replace(uri, settings, JANUARY, lake_rows.row(1, JANUARY), lake_rows.row(2, JANUARY))
    with looked.as_they_stood():
        assert [row["id"] for row in lake_rows.held(uri, settings, JANUARY)] == [1]
    assert [row["id"] for row in lake_rows.held(uri, settings, JANUARY)] == [1, 2]
    again = tables_read.look_at({"jobs": uri}, settings, window=JANUARY)
    assert again != looked
    assert again.to_json() != looked.to_json()


def test_a_write_to_another_month_is_another_version_and_the_same_key(uri: str, settings: Settings) -> None:
    lake_rows.replace(uri, settings, JANUARY, lake_rows.row(1, JANUARY))
    looked = tables_read.look_at({"jobs": uri}, settings, window=JANUARY)
    lake_rows.replace(uri, settings, FEBRUARY, lake_rows.row(2, FEBRUARY))
    again = tables_read.look_at({"jobs": uri}, settings, window=JANUARY)
    assert again == looked
    assert again.to_json() == looked.to_json()
    assert again.versions != looked.versions
    assert tables_read.look_at({"jobs": uri}, settings, window=JANUARY, whole={"jobs"}) != looked


def test_a_table_that_appears_after_the_look_is_not_there(uri: str, settings: Settings) -> None:
    looked = tables_read.look_at({"jobs": uri}, settings, window=JANUARY)
    lake_rows.replace(uri, settings, JANUARY, lake_rows.row(1, JANUARY))
    with looked.as_they_stood():
        assert lake.open_table(uri, settings) is None
    assert lake.open_table(uri, settings) is not None


def test_only_the_named_tables_are_held_and_the_inner_hold_ends_first(uri: str, settings: Settings) -> None:
    other = lake.table_uri(settings, "toy", "raw", "heat")
    for place in (uri, other):
        lake_rows.replace(place, settings, JANUARY, lake_rows.row(1, JANUARY))
        lake_rows.replace(place, settings, JANUARY, lake_rows.row(2, JANUARY))
    with delta_versions.held({uri: 0}):
        assert [row["id"] for row in lake_rows.held(uri, settings, JANUARY)] == [1]
        assert [row["id"] for row in lake_rows.held(other, settings, JANUARY)] == [2]
        with delta_versions.held({uri: 1, other: 0}):
            assert [row["id"] for row in lake_rows.held(uri, settings, JANUARY)] == [2]
            assert [row["id"] for row in lake_rows.held(other, settings, JANUARY)] == [1]
        assert [row["id"] for row in lake_rows.held(uri, settings, JANUARY)] == [1]
    assert delta_versions.held_version(uri) is None
