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

from airloop import lake
from airloop.records import TableVersion, Window
from airloop.settings import Settings, load_settings

JANUARY = Window.parse("2020-01-01T00:00:00Z", "2020-02-01T00:00:00Z")
FEBRUARY = Window.parse("2020-02-01T00:00:00Z", "2020-03-01T00:00:00Z")
MARCH = Window.parse("2020-03-01T00:00:00Z", "2020-04-01T00:00:00Z")
SCHEMA = pa.schema([("id", pa.int64()), ("at", lake.INSTANT), ("value", pa.float64()), ("name", pa.string())])
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


def _row(number: int, window: Window, value: float | None = 1.0) -> dict[str, Any]:
    return {"id": number, "at": window.start + timedelta(hours=number), "value": value, "name": f"n{number}"}


def _table(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), SCHEMA)


def _replace(uri: str, settings: Settings, window: Window, *rows: dict[str, Any]) -> TableVersion:
    return lake.replace_window(uri, _table(*rows), settings, time_column="at", window=window, sort_by=["id"])


def _held(uri: str, settings: Settings, window: Window, **where: Any) -> list[dict[str, Any]]:
    rows = lake.read(uri, settings, where=lake.between("at", window), **where)
    return rows.sort_by("id").to_pylist()


@pytest.mark.parametrize("value", [2.0, None])
def test_changed_content_is_a_new_version_with_another_digest(
    uri: str, settings: Settings, value: float | None
) -> None:
    first = _replace(uri, settings, JANUARY, _row(1, JANUARY))
    second = _replace(uri, settings, JANUARY, _row(1, JANUARY, value))
    assert second.version == first.version + 1
    assert second.digest != first.digest
    assert _held(uri, settings, JANUARY) == [_row(1, JANUARY, value)]


@given(rows=ROWS, seed=st.integers(0, 100), pieces=st.integers(1, 4))
def test_the_digest_does_not_depend_on_the_order_or_the_chunks_of_the_input(
    rows: list[dict[str, Any]], seed: int, pieces: int
) -> None:
    shuffled = random.Random(seed).sample(rows, len(rows))
    parts = [_table(*shuffled[start::pieces]) for start in range(pieces)]
    ordered = _table(*rows).sort_by("id")
    again = pa.concat_tables(parts).slice(0, len(rows)).sort_by("id")
    assert lake.content_digest(again) == lake.content_digest(ordered)


@examples(max_examples=15)
@given(rows=ROWS, seed=st.integers(0, 100))
def test_what_was_read_back_has_the_digest_of_what_was_written(
    rows: list[dict[str, Any]], seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    settings = load_settings(home=tmp_path_factory.mktemp("lake"))
    uri = lake.table_uri(settings, "toy", "raw", "jobs")
    first = _replace(uri, settings, JANUARY, *rows)
    back = lake.read(uri, settings).sort_by("id").cast(SCHEMA)
    assert lake.content_digest(back) == first.digest
    assert _replace(uri, settings, JANUARY, *random.Random(seed).sample(rows, len(rows))) == first


def test_what_lies_under_a_null_or_beside_a_slice_is_not_content() -> None:
    plain = pa.table({"value": pa.array([1.0, None, 2.0])})
    masked = pa.array(np.array([1.0, 9.0, 2.0, 3.0]), mask=np.array([False, True, False, False]))
    assert lake.content_digest(pa.table({"value": masked.slice(0, 3)})) == lake.content_digest(plain)


def test_rows_with_equal_keys_have_one_order_too(uri: str, settings: Settings) -> None:
    rows = [_row(1, JANUARY, value) for value in (3.0, None, 1.0, 2.0)]
    first = _replace(uri, settings, JANUARY, *rows)
    assert _replace(uri, settings, JANUARY, *reversed(rows)) == first


def test_writing_a_window_changes_the_file_digest_of_its_months_alone(uri: str, settings: Settings) -> None:
    windows = (JANUARY, FEBRUARY, MARCH)
    for window in windows:
        _replace(uri, settings, window, _row(1, window))
    before = [lake.files_digest(uri, settings, window=window) for window in windows]
    whole = lake.files_digest(uri, settings)
    _replace(uri, settings, FEBRUARY, _row(1, FEBRUARY, 5.0))
    after = [lake.files_digest(uri, settings, window=window) for window in windows]
    assert [old != new for old, new in zip(before, after, strict=True)] == [False, True, False]
    assert lake.files_digest(uri, settings) != whole


def test_a_window_over_two_months_follows_both(uri: str, settings: Settings) -> None:
    both = Window(JANUARY.start + timedelta(days=20), FEBRUARY.start + timedelta(days=1))
    seen = set()
    for number, window in enumerate((JANUARY, FEBRUARY, JANUARY, MARCH)):
        _replace(uri, settings, window, _row(1, window, float(number)))
        seen.add(lake.files_digest(uri, settings, window=both))
    assert len(seen) == 3


def test_a_change_of_a_static_table_changes_the_file_digest_of_every_window(uri: str, settings: Settings) -> None:
    lake.replace_table(uri, pa.table({"machine": ["a"]}), settings, sort_by=["machine"])
    before = lake.files_digest(uri, settings, window=JANUARY)
    lake.replace_table(uri, pa.table({"machine": ["b"]}), settings, sort_by=["machine"])
    assert lake.files_digest(uri, settings, window=JANUARY) != before
