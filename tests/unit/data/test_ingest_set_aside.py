"""A file that breaks its contract is set aside: the others go in, and what was held of its day stays."""

import logging

import pytest
from tests.support import landed, toy
from tests.support.landed import FILE
from tests.support.run_plainly import run_plainly

from airloop.config import Pipeline
from airloop.data.ingest import ingest, inputs
from airloop.deployment import Deployment
from airloop.records import Ingested
from airloop.settings import Settings

DAY, TWO_DAYS = toy.days(0, 1), toy.days(0, 2)
NEXT = "2020-01-02.csv"
LATER = "2020-01-02T00:00:00Z"


@pytest.fixture
def pipeline(toy_settings: Settings) -> Pipeline:
    return toy.toy_pipeline(toy_settings)


@pytest.fixture
def two_days(toy_settings: Settings) -> Settings:
    """Two jobs on each of two days, in the lake."""
    landed.put(toy_settings, FILE, [landed.job("a"), landed.job("b")])
    landed.put(toy_settings, NEXT, [landed.job("c", planned=LATER), landed.job("d", planned=LATER)])
    _ingest(toy_settings)
    return toy_settings


def _ingest(settings: Settings) -> Ingested:
    return run_plainly(ingest, Deployment(toy.toy_pipeline(settings), settings), TWO_DAYS)


def _names(record: Ingested) -> list[str]:
    return [item.uri.rsplit("/", 1)[-1] for item in record.set_aside]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(b"\xff\xfej\x00\n\x00", "it is UTF-16", id="wrong code"),
        pytest.param(b"job,machine,planned_at,starts_at,size\na,m0,2020-01-", "was cut off", id="truncated"),
        pytest.param(b"job,machine,planned,starts_at,size\n", "'planned_at' may be 'planned'", id="renamed"),
        pytest.param(
            b"job,machine,planned_at,starts_at,size\nx,y\n", "Row #2: Expected 5 columns, got 2", id="short row"
        ),
    ],
)
def test_a_broken_replacement_deletes_nothing_and_the_other_files_go_in(
    two_days: Settings, content: bytes, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    landed.put_bytes(two_days, FILE, content)
    landed.put(two_days, NEXT, [landed.job("c", planned=LATER, size=7)])
    with caplog.at_level(logging.WARNING, logger="airloop.data.ingest"):
        record = _ingest(two_days)
    (item,) = record.set_aside
    assert (item.feed, _names(record)) == ("jobs", [FILE])
    assert why in item.why
    assert why in caplog.text
    assert [file.uri.rsplit("/", 1)[-1] for file in record.files] == [NEXT]
    assert landed.sizes(two_days) == {"a": 1, "b": 1, "c": 7}


def test_the_same_files_again_set_the_same_aside_and_write_nothing(two_days: Settings) -> None:
    landed.put_bytes(two_days, FILE, b"")
    first = _ingest(two_days)
    before = landed.versions(two_days)
    assert _ingest(two_days) == first
    assert landed.versions(two_days) == before


def test_a_file_put_right_is_read_and_replaces_its_day(two_days: Settings) -> None:
    landed.put_bytes(two_days, FILE, b"")
    _ingest(two_days)
    landed.put(two_days, FILE, [landed.job("a", size=3)])
    assert _ingest(two_days).set_aside == ()
    assert landed.sizes(two_days) == {"a": 3, "c": 1, "d": 1}


def test_a_broken_first_file_leaves_its_day_empty(toy_settings: Settings) -> None:
    landed.put_bytes(toy_settings, FILE, b"")
    landed.put(toy_settings, NEXT, [landed.job("c", planned=LATER)])
    assert _names(_ingest(toy_settings)) == [FILE]
    assert landed.sizes(toy_settings) == {"c": 1}


def test_a_broken_correction_leaves_the_file_it_corrects_in_force(two_days: Settings) -> None:
    landed.put_bytes(two_days, "2020-01-01.1.csv", b"")
    landed.put(two_days, FILE, [landed.job("a", size=5), landed.job("e")])
    assert _names(_ingest(two_days)) == ["2020-01-01.1.csv"]
    # b was held, and no readable file has it; a and e are as the readable file says.
    assert landed.sizes(two_days) == {"a": 5, "b": 1, "c": 1, "d": 1, "e": 1}


def test_a_correction_that_can_be_read_counts_beside_a_broken_file(two_days: Settings) -> None:
    landed.put_bytes(two_days, FILE, b"")
    landed.put(two_days, "2020-01-01.1.csv", [landed.job("b", size=9)])
    _ingest(two_days)
    assert landed.sizes(two_days) == {"a": 1, "b": 9, "c": 1, "d": 1}


def test_a_file_without_rows_that_would_delete_its_day_is_set_aside(two_days: Settings) -> None:
    landed.put(two_days, FILE, [])
    record = _ingest(two_days)
    assert record.set_aside[0].why.endswith(
        "is empty and would delete the 2 rows that are there; land the complete file again"
    )
    assert landed.sizes(two_days) == dict.fromkeys("abcd", 1)
    assert _ingest(two_days) == record


def test_a_file_without_rows_beside_one_that_has_them_deletes_nothing_and_is_read(two_days: Settings) -> None:
    landed.put(two_days, "2020-01-01.1.csv", [])
    assert _ingest(two_days).set_aside == ()
    assert landed.sizes(two_days) == dict.fromkeys("abcd", 1)


def test_an_outcome_of_which_no_file_can_be_read_waits_like_one_that_has_not_landed(two_days: Settings) -> None:
    landed.put_bytes(two_days, FILE, b"", feed="failures")
    record = _ingest(two_days)
    assert record.missing == ("heat", "machines")
    assert [item.feed for item in record.set_aside] == ["failures"]
    assert [table.table for table in record.tables] == ["jobs"]


def test_rows_without_a_key_that_are_held_are_not_doubled(toy_settings: Settings) -> None:
    landed.put(toy_settings, FILE, [landed.job("a"), landed.job(""), landed.job("", size=2)])
    _ingest(toy_settings)
    landed.put_bytes(toy_settings, "2020-01-01.1.csv", b"")
    for _ in range(2):
        _ingest(toy_settings)
        assert sorted(row["size"] for row in landed.rows(toy_settings) if row["job"] is None) == [1, 2]


def test_a_local_day_that_overlaps_the_window_keeps_what_the_window_held_of_it(
    toy_settings: Settings, pipeline: Pipeline
) -> None:
    local = landed.with_feed(pipeline, "jobs", day_timezone="America/New_York")
    inside, outside = "2020-01-01T22:00:00Z", "2020-01-02T03:00:00Z"
    landed.put(toy_settings, FILE, [landed.job("in", planned=inside), landed.job("out", planned=outside)])
    landed.put(toy_settings, "2019-12-31.csv", [landed.job("before", planned="2020-01-01T02:00:00Z")])
    for day in range(2):
        run_plainly(ingest, Deployment(local, toy_settings), toy.days(day, day + 1))
    landed.put_bytes(toy_settings, FILE, b"")
    landed.put(toy_settings, NEXT, [landed.job("next", planned="2020-01-02T20:00:00Z")])
    for day in range(2):
        run_plainly(ingest, Deployment(local, toy_settings), toy.days(day, day + 1))
    assert sorted(landed.sizes(toy_settings)) == ["before", "in", "next", "out"]


def test_a_set_aside_file_is_an_input_like_the_others(two_days: Settings, pipeline: Pipeline) -> None:
    landed.put_bytes(two_days, FILE, b"")
    before = inputs(Deployment(pipeline, two_days), TWO_DAYS).to_json()
    landed.put_bytes(two_days, FILE, b"still broken")
    after = inputs(Deployment(pipeline, two_days), TWO_DAYS).to_json()
    assert [uri.rsplit("/", 1)[-1] for uri in before if before[uri] != after[uri]] == [FILE]
