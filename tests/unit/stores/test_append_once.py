"""A row is added once by its key; what another writer added since the look is looked at again."""

from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from tests.support import toy

from airloop.settings import Settings, load_settings
from airloop.stores import append_once as module
from airloop.stores import lake
from airloop.stores.append_once import append_once

DAY = toy.days(0, 1)
KEY = ("job", "at", "mode")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path)


def _rows(*jobs: str, mode: str = "live") -> pa.Table:
    at = [DAY.start + timedelta(minutes=int(job)) for job in jobs]
    columns = {"job": pa.array(jobs), "at": pa.array(at, lake.INSTANT), "mode": pa.array([mode] * len(jobs))}
    return pa.table(columns | {"scores": pa.array([[0.1, 0.9]] * len(jobs))})


def _add(settings: Settings, rows: pa.Table) -> tuple[int, int]:
    return append_once(_uri(settings), rows, settings, time_column="at", key=KEY, window=DAY)


def _uri(settings: Settings) -> str:
    return lake.table_uri(settings, "toy", "predictions", "predictions")


def _held(settings: Settings) -> list[tuple[str, str]]:
    rows = lake.read(_uri(settings), settings).to_pylist()
    return sorted((row["job"], row["mode"]) for row in rows)


def test_the_first_rows_make_the_table(settings: Settings) -> None:
    assert _add(settings, _rows("1", "2")) == (2, 0)
    assert _held(settings) == [("1", "live"), ("2", "live")]


def test_only_what_is_not_there_is_added(settings: Settings) -> None:
    _add(settings, _rows("1", "2"))
    assert _add(settings, _rows("2", "3")) == (1, 1)
    assert _held(settings) == [("1", "live"), ("2", "live"), ("3", "live")]


def test_nothing_new_writes_no_version(settings: Settings) -> None:
    _add(settings, _rows("1"))
    assert _add(settings, _rows("1")) == (0, 0)


def test_every_column_of_the_key_counts(settings: Settings) -> None:
    _add(settings, _rows("1"))
    assert _add(settings, _rows("1", mode="backtest"))[0] == 1
    assert _held(settings) == [("1", "backtest"), ("1", "live")]


@pytest.mark.parametrize("first", [(), ("9",)], ids=["no table yet", "a table"])
def test_a_writer_who_comes_between_look_and_write_is_seen(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, first: tuple[str, ...]
) -> None:
    if first:
        _add(settings, _rows(*first))
    looks = []

    def look(uri: str, here: Settings) -> object:
        table = lake_open(uri, here)
        looks.append(table)
        if len(looks) == 1:
            monkeypatch.setattr(module.lake, "open_table", lake_open)
            _add(settings, _rows("1", "2"))
            monkeypatch.setattr(module.lake, "open_table", look)
        return table

    lake_open = lake.open_table
    monkeypatch.setattr(module.lake, "open_table", look)
    assert _add(settings, _rows("2", "3"))[0] == 1
    assert len(looks) == 2
    monkeypatch.undo()
    assert [job for job, _ in _held(settings)] == sorted([*first, "1", "2", "3"])
