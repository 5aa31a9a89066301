"""Where nothing of a feed can be read, or files without rows would delete some, the whole window stays as it was."""

from pathlib import Path

import pytest
from tests.support import landed, toy
from tests.support.landed import FEEDS, FILE
from tests.support.run_plainly import run_plainly

from airloop.data.ingest import ingest
from airloop.deployment import Deployment
from airloop.errors import DataContractError
from airloop.records import Ingested, Window
from airloop.settings import Settings

DAY = toy.days(0, 1)
BROKEN = [
    pytest.param(b"", "is empty", id="empty"),
    pytest.param(b"\x00\xff\xfe\n", "line 1 holds the byte 0xff", id="not text"),
    pytest.param(b"surely,not,these\n1,2,3\n", "columns differ from the declaration", id="other columns"),
    pytest.param(b"HEADER", "was cut off", id="truncated"),
]


def _ingest(settings: Settings, window: Window = DAY) -> Ingested:
    return run_plainly(ingest, Deployment(toy.toy_pipeline(settings), settings), window)


def _name(feed: str, day: str = FILE) -> str:
    return "machines.csv" if feed == "machines" else day


@pytest.mark.parametrize("feed", ["jobs", "heat", "machines"])
@pytest.mark.parametrize(("content", "why"), BROKEN)
def test_a_feed_without_a_readable_file_leaves_every_feed_as_it_was(
    toy_settings: Settings, feed: str, content: bytes, why: str
) -> None:
    toy.land(toy_settings, days=range(1))
    _ingest(toy_settings)
    before = landed.versions(toy_settings)
    toy.land(toy_settings, days=range(1), shuffled=True)
    landed.put_bytes(toy_settings, _name(feed), content, feed=feed)
    with pytest.raises(DataContractError, match=rf"no file of {feed} can be read(?s:.*){_name(feed)}: .*{why}"):
        _ingest(toy_settings)
    assert landed.versions(toy_settings) == before


def test_every_broken_file_is_listed(toy_settings: Settings) -> None:
    toy.land(toy_settings, days=range(1))
    for feed in ("jobs", "failures"):
        landed.put_bytes(toy_settings, FILE, b"", feed=feed)
    with pytest.raises(
        DataContractError, match=rf"no file of jobs can be read(?s:.*)jobs/{FILE}(?s:.*)failures/{FILE}"
    ):
        _ingest(toy_settings)
    assert set(landed.versions(toy_settings).values()) == {None}


def test_outcomes_alone_that_cannot_be_read_are_nothing_to_go_on_with(toy_settings: Settings) -> None:
    landed.put_bytes(toy_settings, FILE, b"", feed="failures")
    with pytest.raises(DataContractError, match="no file of failures can be read"):
        _ingest(toy_settings)


@pytest.mark.parametrize("feed", ["jobs", "heat", "machines"])
def test_an_extract_without_rows_that_would_delete_what_was_there_is_refused(toy_settings: Settings, feed: str) -> None:
    toy.land(toy_settings, days=range(1))
    _ingest(toy_settings)
    before = landed.versions(toy_settings)
    toy.land(toy_settings, days=range(1), shuffled=True)
    landed.put(toy_settings, _name(feed), [], feed=feed)
    with pytest.raises(DataContractError, match=r"is empty and would delete the [0-9]+ rows that are there"):
        _ingest(toy_settings)
    assert landed.versions(toy_settings) == before


def test_files_whose_rows_all_left_the_window_would_empty_it_and_are_refused(toy_settings: Settings) -> None:
    local = landed.with_feed(toy.toy_pipeline(toy_settings), "jobs", day_timezone="America/New_York")
    landed.put(toy_settings, FILE, [landed.job("a", planned="2020-01-01T20:00:00Z")])
    run_plainly(ingest, Deployment(local, toy_settings), DAY)
    landed.put(toy_settings, FILE, [landed.job("b", planned="2020-01-02T02:00:00Z")])
    with pytest.raises(
        DataContractError, match="files of jobs have no row of it and would delete the 1 rows that are there"
    ):
        run_plainly(ingest, Deployment(local, toy_settings), DAY)
    assert landed.sizes(toy_settings) == {"a": 1}


def test_an_extract_without_rows_is_fine_where_nothing_was(toy_settings: Settings) -> None:
    landed.put(toy_settings, FILE, [])
    assert [(table.table, table.rows) for table in _ingest(toy_settings).tables] == [("jobs", 0)]
    landed.put(toy_settings, "2020-01-02.csv", [])
    assert _ingest(toy_settings, toy.days(1, 2)).tables[0].rows == 0


def test_a_window_for_which_nothing_landed_is_refused(toy_settings: Settings) -> None:
    toy.land(toy_settings, days=range(1))
    with pytest.raises(DataContractError, match="no file landed for this window"):
        _ingest(toy_settings, toy.days(1, 2))
    assert set(landed.versions(toy_settings).values()) == {None}


def test_static_files_alone_are_no_window(toy_settings: Settings) -> None:
    toy.land(toy_settings, days=range(0))
    with pytest.raises(DataContractError, match="no file landed for this window"):
        _ingest(toy_settings)


@pytest.mark.parametrize("feed", FEEDS)
def test_a_file_that_was_removed_deletes_nothing(toy_settings: Settings, feed: str) -> None:
    toy.land(toy_settings, days=range(1))
    _ingest(toy_settings)
    held = landed.rows(toy_settings, feed)
    (Path(toy_settings.landing_uri) / "toy" / feed / _name(feed)).unlink()
    assert _ingest(toy_settings).missing == (feed,)
    assert landed.rows(toy_settings, feed) == held
