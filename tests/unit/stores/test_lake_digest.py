"""Digests follow content: not order, chunks or what lies under a null; and files: only those of a window's months."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from tests.support import lake_rows
from tests.support.lake_rows import FEBRUARY, JANUARY, MARCH, SCHEMA

from airloop.records import Window
from airloop.settings import Settings, load_settings
from airloop.stores import lake

ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "at": st.datetimes(datetime(2020, 1, 1), datetime(2020, 1, 31), timezones=st.just(UTC)),
            "value": st.none() | st.floats(allow_nan=False),
            "name": st.none() | st.text(max_size=3),
        }
    ),
    max_size=12,
).map(lambda rows: [{"id": number, **row} for number, row in enumerate(rows)])


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path)


@pytest.fixture
def uri(settings: Settings) -> str:
    return lake.table_uri(settings, "toy", "raw", "jobs")


@pytest.mark.parametrize("value", [2.0, None])
def test_changed_content_is_a_new_version_with_another_digest(
    uri: str, settings: Settings, value: float | None
) -> None:
    first = lake_rows.replace(uri, settings, JANUARY, lake_rows.row(1, JANUARY))
    second = lake_rows.replace(uri, settings, JANUARY, lake_rows.row(1, JANUARY, value))
    assert second.version == first.version + 1
    assert second.digest != first.digest
    assert lake_rows.held(uri, settings, JANUARY) == [lake_rows.row(1, JANUARY, value)]


@given(rows=ROWS, seed=st.integers(0, 100), pieces=st.integers(1, 4))
def test_the_digest_does_not_depend_on_the_order_or_the_chunks_of_the_input(
    rows: list[dict[str, Any]], seed: int, pieces: int
) -> None:
    shuffled = random.Random(seed).sample(rows, len(rows))
    parts = [lake_rows.table(*shuffled[start::pieces]) for start in range(pieces)]
    ordered = lake_rows.table(*rows).sort_by("id")
    again = pa.concat_tables(parts).slice(0, len(rows)).sort_by("id")
    assert lake.content_digest(again) == lake.content_digest(ordered)


@examples(max_examples=15)
@given(rows=ROWS, seed=st.integers(0, 100))
def test_what_was_read_back_has_the_digest_of_what_was_written(
    rows: list[dict[str, Any]], seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    settings = load_settings(home=tmp_path_factory.mktemp("lake"))
    uri = lake.table_uri(settings, "toy", "raw", "jobs")
    first = lake_rows.replace(uri, settings, JANUARY, *rows)
    back = lake.read(uri, settings).sort_by("id").cast(SCHEMA)
    assert lake.content_digest(back) == first.digest
    assert lake_rows.replace(uri, settings, JANUARY, *random.Random(seed).sample(rows, len(rows))) == first


def test_what_lies_under_a_null_or_beside_a_slice_is_not_content() -> None:
    plain = pa.table({"value": pa.array([1.0, None, 2.0])})
    masked = pa.array(np.array([1.0, 9.0, 2.0, 3.0]), mask=np.array([False, True, False, False]))
    assert lake.content_digest(pa.table({"value": masked.slice(0, 3)})) == lake.content_digest(plain)


def test_rows_with_equal_keys_have_one_order_too(uri: str, settings: Settings) -> None:
    rows = [lake_rows.row(1, JANUARY, value) for value in (3.0, None, 1.0, 2.0)]
    first = lake_rows.replace(uri, settings, JANUARY, *rows)
    assert lake_rows.replace(uri, settings, JANUARY, *reversed(rows)) == first


def test_writing_a_window_changes_the_file_digest_of_its_months_alone(uri: str, settings: Settings) -> None:
    windows = (JANUARY, FEBRUARY, MARCH)
    for window in windows:
        lake_rows.replace(uri, settings, window, lake_rows.row(1, window))
    before = [lake.files_digest(uri, settings, window=window) for window in windows]
    whole = lake.files_digest(uri, settings)
    lake_rows.replace(uri, settings, FEBRUARY, lake_rows.row(1, FEBRUARY, 5.0))
    after = [lake.files_digest(uri, settings, window=window) for window in windows]
    assert [old != new for old, new in zip(before, after, strict=True)] == [False, True, False]
    assert lake.files_digest(uri, settings) != whole


def test_a_window_over_two_months_follows_both(uri: str, settings: Settings) -> None:
    both = Window(JANUARY.start + timedelta(days=20), FEBRUARY.start + timedelta(days=1))
    seen = set()
    for number, window in enumerate((JANUARY, FEBRUARY, JANUARY, MARCH)):
        lake_rows.replace(uri, settings, window, lake_rows.row(1, window, float(number)))
        seen.add(lake.files_digest(uri, settings, window=both))
    assert len(seen) == 3


def test_a_change_of_a_static_table_changes_the_file_digest_of_every_window(uri: str, settings: Settings) -> None:
    lake.replace_table(uri, pa.table({"machine": ["a"]}), settings, sort_by=["machine"])
    before = lake.files_digest(uri, settings, window=JANUARY)
    lake.replace_table(uri, pa.table({"machine": ["b"]}), settings, sort_by=["machine"])
    assert lake.files_digest(uri, settings, window=JANUARY) != before
