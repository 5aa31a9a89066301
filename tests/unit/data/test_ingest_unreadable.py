"""A row that cannot be read goes to unreadable/<feed>, once, and takes the place of the row it was to replace."""

import json

import pytest
from tests.support import landed, toy
from tests.support.landed import FILE
from tests.support.run_plainly import run_plainly

from airloop.config import Pipeline
from airloop.data.ingest import ingest
from airloop.deployment import Deployment
from airloop.records import Ingested
from airloop.settings import Settings

DAY = toy.days(0, 1)


@pytest.fixture
def pipeline(toy_settings: Settings) -> Pipeline:
    return toy.toy_pipeline(toy_settings)


def _ingest(settings: Settings) -> Ingested:
    return run_plainly(ingest, Deployment(toy.toy_pipeline(settings), settings), DAY)


def _unreadable(settings: Settings) -> dict[str, str]:
    return {str(row["job"]): row["_rule"] for row in landed.rows(settings, layer="unreadable")}


def test_the_row_keeps_its_texts_and_its_place_and_the_others_go_in(toy_settings: Settings) -> None:
    landed.put(toy_settings, FILE, [landed.job("a"), landed.job("b", size="many"), landed.job("c")])
    record = _ingest(toy_settings)
    assert record.set_aside == ()
    assert record.tables[0].rows == 2
    (row,) = landed.rows(toy_settings, layer="unreadable")
    assert (row["job"], row["size"], row["_rule"]) == ("b", None, "type of size")
    assert json.loads(row["_text"])["size"] == "many"
    assert row["_source"].endswith(f"jobs/{FILE} line 3")
    assert row["planned_at"] == DAY.start


def test_a_feed_whose_rows_can_all_be_read_has_no_such_table(toy_settings: Settings) -> None:
    landed.put(toy_settings, FILE, [landed.job("a")])
    _ingest(toy_settings)
    assert landed.versions(toy_settings, "unreadable")["unreadable/jobs"] is None


def test_more_of_them_than_the_declared_share_set_the_file_aside(toy_settings: Settings) -> None:
    landed.put(toy_settings, FILE, [landed.job(f"j{number}", size="?" if number < 2 else 1) for number in range(39)])
    landed.put(toy_settings, "2020-01-01.1.csv", [landed.job("k")])
    (item,) = _ingest(toy_settings).set_aside
    assert "2 of 39 rows cannot be read, more than 5.00%" in item.why
    landed.put(toy_settings, FILE, [landed.job(f"j{number}", size="?" if number < 2 else 1) for number in range(40)])
    assert _ingest(toy_settings).set_aside == ()
    assert len(landed.rows(toy_settings, layer="unreadable")) == 2


def test_the_same_files_again_write_nothing(toy_settings: Settings) -> None:
    landed.put(toy_settings, FILE, [landed.job("a"), landed.job("b", size="many")])
    first, before = _ingest(toy_settings), landed.versions(toy_settings, "raw", "unreadable")
    assert _ingest(toy_settings) == first
    assert landed.versions(toy_settings, "raw", "unreadable") == before


@pytest.mark.parametrize("name", [FILE, "2020-01-01.1.csv"])
def test_a_corrected_row_leaves(toy_settings: Settings, name: str) -> None:
    landed.put(toy_settings, FILE, [landed.job("a"), landed.job("b", size="many")])
    _ingest(toy_settings)
    landed.put(toy_settings, name, [landed.job("a"), landed.job("b", size=2)])
    _ingest(toy_settings)
    assert _unreadable(toy_settings) == {}
    assert landed.sizes(toy_settings) == {"a": 1, "b": 2}


def test_a_correction_that_cannot_be_read_leaves_no_older_version_in_its_place(toy_settings: Settings) -> None:
    landed.put(toy_settings, FILE, [landed.job("a"), landed.job("b")])
    landed.put(toy_settings, "2020-01-01.1.csv", [landed.job("b", size="many")])
    _ingest(toy_settings)
    assert landed.sizes(toy_settings) == {"a": 1}
    assert _unreadable(toy_settings) == {"b": "type of size"}


def test_a_row_in_the_file_of_another_day_takes_nothing_from_its_own(toy_settings: Settings) -> None:
    landed.put(toy_settings, FILE, [landed.job("a")])
    landed.put(toy_settings, "2020-01-02.csv", [landed.job("a"), landed.job("b", planned="2020-01-02T00:00:00Z")])
    run_plainly(ingest, Deployment(toy.toy_pipeline(toy_settings), toy_settings), toy.days(0, 2))
    assert sorted(landed.sizes(toy_settings)) == ["a", "b"]
    (row,) = landed.rows(toy_settings, layer="unreadable")
    assert (row["job"], row["_rule"], row["planned_at"]) == ("a", "day of planned_at", toy.days(1, 2).start)


def test_a_row_without_its_time_is_in_the_window_its_file_begins_in_and_in_no_other(
    toy_settings: Settings, pipeline: Pipeline
) -> None:
    local = landed.with_feed(pipeline, "jobs", day_timezone="America/New_York")
    landed.put(toy_settings, FILE, [landed.job("a", planned=""), landed.job("b", planned="2020-01-02T02:00:00Z")])
    counts = []
    for day in (0, 1):
        run_plainly(ingest, Deployment(local, toy_settings), toy.days(day, day + 1))
        counts.append((len(landed.rows(toy_settings)), _unreadable(toy_settings)))
    assert counts == [(0, {"a": "missing planned_at"}), (1, {"a": "missing planned_at"})]


def test_a_row_without_its_known_at_cannot_be_read(toy_settings: Settings, pipeline: Pipeline) -> None:
    landed.put(toy_settings, FILE, [landed.job("b"), "a,m0,2020-01-01T00:00:00Z,,1"])
    run_plainly(ingest, Deployment(landed.with_feed(pipeline, "jobs", known_at="starts_at"), toy_settings), DAY)
    assert _unreadable(toy_settings) == {"a": "missing starts_at"}


def test_a_key_that_cannot_be_read_is_like_no_other(toy_settings: Settings, pipeline: Pipeline) -> None:
    numbered = landed.with_feed(pipeline, "jobs", key=["size"])
    landed.put(toy_settings, FILE, [landed.job("a"), *(landed.job(str(i), size=i) for i in range(2, 60))])
    landed.put(
        toy_settings, "2020-01-01.1.csv", [landed.job("b", size="x"), *(landed.job("z", size=i) for i in range(30))]
    )
    run_plainly(ingest, Deployment(numbered, toy_settings), DAY)
    assert len(landed.rows(toy_settings)) == 60
    assert _unreadable(toy_settings) == {"b": "type of size"}


def test_a_static_table_marks_its_row_too(toy_settings: Settings) -> None:
    toy.land(toy_settings, days=range(1))
    landed.put(toy_settings, "machines.csv", ["m0,2000", "m1,new"], feed="machines")
    _ingest(toy_settings)
    assert [row["machine"] for row in landed.rows(toy_settings, "machines")] == ["m0"]
    assert [row["machine"] for row in landed.rows(toy_settings, "machines", layer="unreadable")] == ["m1"]


def test_a_set_aside_file_keeps_the_unreadable_rows_of_its_day(toy_settings: Settings) -> None:
    landed.put(toy_settings, FILE, [landed.job("a"), landed.job("b", size="many")])
    _ingest(toy_settings)
    landed.put_bytes(toy_settings, FILE, b"")
    landed.put(toy_settings, "2020-01-01.1.csv", [landed.job("c")])
    _ingest(toy_settings)
    assert _unreadable(toy_settings) == {"b": "type of size"}
    assert sorted(landed.sizes(toy_settings)) == ["a", "c"]
