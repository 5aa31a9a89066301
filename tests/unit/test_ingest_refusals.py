"""A broken, empty or missing extract is refused, and every feed stays as it was."""

from pathlib import Path
from typing import Any

import fsspec
import pytest
import toy

from airloop import lake
from airloop.config import Feed, Pipeline
from airloop.errors import DataContractError
from airloop.ingest import ingest
from airloop.records import Ingested, Window
from airloop.settings import Settings

DAY = toy.days(0, 1)
FILE = "2020-01-01.csv"
FEEDS = ("jobs", "heat", "machines", "failures")


@pytest.fixture
def pipeline(toy_settings: Settings) -> Pipeline:
    return toy.toy_pipeline(toy_settings)


def _job(name: str, *, planned: str = "2020-01-01T00:00:00Z", size: object = 1) -> str:
    return f"{name},m0,{planned},2020-01-05T00:00:00Z,{size}"


def _put(settings: Settings, name: str, rows: list[str], *, feed: str = "jobs", header: str = "") -> None:
    columns = header or ",".join(toy.toy_pipeline(settings).feeds[feed].columns)
    with fsspec.open(f"{settings.landing_uri}/toy/{feed}/{name}", "w", auto_mkdir=True) as file:
        file.write("\n".join([columns, *rows]) + "\n")


def _ingest(settings: Settings, window: Window = DAY, *, pipeline: Pipeline | None = None) -> Ingested:
    return ingest(pipeline or toy.toy_pipeline(settings), window, {}, settings)


def _uri(settings: Settings, feed: str = "jobs") -> str:
    return lake.table_uri(settings, "toy", "raw", feed)


def _rows(settings: Settings, feed: str = "jobs") -> list[dict[str, Any]]:
    table = lake.open_table(_uri(settings, feed), settings)
    if table is None:
        return []
    rows = lake.read(_uri(settings, feed), settings).to_pylist()
    return sorted(rows, key=lambda row: [str(value) for value in row.values()])


def _versions(settings: Settings) -> dict[str, int | None]:
    found = {feed: lake.open_table(_uri(settings, feed), settings) for feed in FEEDS}
    return {feed: table and table.version() for feed, table in found.items()}


def _with_feed(pipeline: Pipeline, name: str, **changes: Any) -> Pipeline:
    feed = Feed.model_validate(pipeline.feeds[name].model_dump() | changes)
    return pipeline.model_copy(update={"feeds": {**pipeline.feeds, name: feed}})


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("a,m0,,2020-01-05T00:00:00Z,1", r"1 rows without planned_at, first key \('a',\)"),
        ("a,m0,2020-01-01T00:00:00Z,,1", r"1 rows without starts_at, first key \('a',\)"),
    ],
)
def test_a_row_without_its_time_is_refused_because_no_window_would_hold_it(
    toy_settings: Settings, pipeline: Pipeline, row: str, says: str
) -> None:
    _put(toy_settings, FILE, [_job("b"), row])
    with pytest.raises(DataContractError, match=f"{FILE}: {says}"):
        _ingest(toy_settings, pipeline=_with_feed(pipeline, "jobs", known_at="starts_at"))


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x00\xff\xfe", id="not text"),
        pytest.param(b"surely,not,these\n1,2,3\n", id="other columns"),
        pytest.param(b"HEADER\n", id="no line but a header that differs"),
    ],
)
def test_one_broken_file_of_any_feed_leaves_every_feed_as_it_was(
    toy_settings: Settings, feed: str, broken: bytes
) -> None:
    toy.land(toy_settings, days=range(1))
    _ingest(toy_settings)
    before = _versions(toy_settings)
    toy.land(toy_settings, days=range(2), shuffled=True)
    name = "machines.csv" if feed == "machines" else "2020-01-02.csv"
    (Path(toy_settings.landing_uri) / "toy" / feed / name).write_bytes(broken)
    with pytest.raises(DataContractError, match=f"{feed}/{name}"):
        _ingest(toy_settings, toy.days(0, 2))
    assert _versions(toy_settings) == before


def test_one_wrong_value_in_the_last_feed_writes_nothing_of_the_first(toy_settings: Settings) -> None:
    toy.land(toy_settings, days=range(1))
    path = Path(toy_settings.landing_uri) / "toy" / "failures" / FILE
    path.write_text(path.read_text().replace("false", "perhaps", 1))
    with pytest.raises(DataContractError, match=rf"failures/{FILE}: column 'failed': 1 values .* \['perhaps'\]"):
        _ingest(toy_settings)
    assert set(_versions(toy_settings).values()) == {None}


@pytest.mark.parametrize("feed", FEEDS)
def test_an_extract_without_rows_that_would_delete_what_was_there_is_refused(toy_settings: Settings, feed: str) -> None:
    toy.land(toy_settings, days=range(1))
    _ingest(toy_settings)
    before = _versions(toy_settings)
    toy.land(toy_settings, days=range(1), shuffled=True)
    _put(toy_settings, "machines.csv" if feed == "machines" else FILE, [], feed=feed)
    with pytest.raises(DataContractError, match=r"would delete the [0-9]+ rows of before"):
        _ingest(toy_settings)
    assert _versions(toy_settings) == before


def test_an_extract_without_rows_is_fine_where_nothing_was(toy_settings: Settings) -> None:
    _put(toy_settings, FILE, [])
    assert [(table.table, table.rows) for table in _ingest(toy_settings).tables] == [("jobs", 0)]
    _put(toy_settings, "2020-01-02.csv", [])
    assert _ingest(toy_settings, toy.days(1, 2)).tables[0].rows == 0


def test_a_window_for_which_nothing_landed_is_refused(toy_settings: Settings) -> None:
    toy.land(toy_settings, days=range(1))
    with pytest.raises(DataContractError, match="no file landed for this window"):
        _ingest(toy_settings, toy.days(1, 2))
    assert set(_versions(toy_settings).values()) == {None}


def test_static_files_alone_are_no_window(toy_settings: Settings) -> None:
    toy.land(toy_settings, days=range(0))
    with pytest.raises(DataContractError, match="no file landed for this window"):
        _ingest(toy_settings)


def test_a_file_that_was_removed_deletes_nothing(toy_settings: Settings) -> None:
    toy.land(toy_settings, days=range(1))
    _ingest(toy_settings)
    (Path(toy_settings.landing_uri) / "toy" / "failures" / FILE).unlink()
    assert _ingest(toy_settings).missing == ("failures",)
    assert len(_rows(toy_settings, "failures")) == toy.ROWS_A_DAY
