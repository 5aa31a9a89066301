"""What lands is in the lake once, in the window of its events; a broken file leaves the whole window as it was."""

import random
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from tests.support import landed, toy
from tests.support.landed import FEEDS, FILE
from tests.support.run_plainly import run_plainly

from airloop.config import Pipeline
from airloop.data.ingest import ingest, inputs
from airloop.deployment import Deployment
from airloop.errors import ConfigError
from airloop.records import Ingested, Window
from airloop.settings import Settings

DAY = toy.days(0, 1)


@pytest.fixture
def pipeline(toy_settings: Settings) -> Pipeline:
    return toy.toy_pipeline(toy_settings)


@pytest.fixture(params=["memory", "file"])
def url_settings(request: pytest.FixtureRequest, toy_settings: Settings) -> Iterator[Settings]:
    """The landing folder at a URL instead of a path."""
    if request.param == "file":
        yield toy_settings.model_copy(update={"landing_uri": f"file://{toy_settings.landing_uri}"})
        return
    yield toy_settings.model_copy(update={"landing_uri": "memory://test-ingest"})
    fsspec.filesystem("memory").rm("/test-ingest", recursive=True)


def _ingest(settings: Settings, window: Window = DAY, *, pipeline: Pipeline | None = None) -> Ingested:
    return run_plainly(ingest, Deployment(pipeline or toy.toy_pipeline(settings), settings), window)


def test_the_record_names_files_tables_and_rows(toy_settings: Settings) -> None:
    toy.land(toy_settings, days=range(1))
    record = _ingest(toy_settings)
    assert record.missing == ()
    assert {file.uri.split("/toy/")[1] for file in record.files} == {
        "machines/machines.csv",
        *(f"{feed}/{FILE}" for feed in ("jobs", "heat", "failures")),
    }
    assert {table.table: table.rows for table in record.tables} == {
        "jobs": 60,
        "heat": 120,
        "machines": 5,
        "failures": 60,
    }


def test_rows_go_to_the_utc_window_of_their_event_although_the_file_is_named_by_a_local_day(
    toy_settings: Settings, pipeline: Pipeline
) -> None:
    local = landed.with_feed(pipeline, "jobs", day_timezone="America/New_York")
    first, last = "2020-01-01T05:00:00Z", "2020-01-02T04:59:59Z"
    landed.put(toy_settings, FILE, [landed.job("evening", planned=last), landed.job("morning", planned=first)])
    landed.put(toy_settings, "2020-01-02.csv", [landed.job("next", planned="2020-01-02T05:00:00Z")])
    by_day = [_ingest(toy_settings, toy.days(day, day + 1), pipeline=local).tables[0].rows for day in range(3)]
    assert by_day == [1, 2, 0]
    assert sorted(landed.sizes(toy_settings)) == ["evening", "morning", "next"]


@examples(max_examples=10)
@given(seed=st.integers(0, 1000), hours=st.lists(st.integers(0, 71), min_size=1, max_size=20))
def test_each_row_is_in_exactly_one_window_whatever_the_zone_of_its_file(
    seed: int, hours: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    repository = Path(__file__).resolve().parents[3]
    settings = toy.write_project(tmp_path_factory.mktemp("zones") / "project", repository)
    local = landed.with_feed(toy.toy_pipeline(settings), "jobs", day_timezone="Asia/Tokyo")
    files: dict[str, list[str]] = {}
    for number, hour in enumerate(hours):
        instant = toy.START + (toy.days(0, 3).end - toy.START) * (hour / 72)
        tokyo = instant + (toy.days(0, 1).end - toy.START) * (9 / 24)
        files.setdefault(f"{tokyo:%Y-%m-%d}.csv", []).append(landed.job(f"j{number}", planned=toy.text(instant)))
    for name, rows in files.items():
        landed.put(settings, name, random.Random(seed).sample(rows, len(rows)))
    counts = [
        sum(table.rows for table in _ingest(settings, toy.days(day, day + 1), pipeline=local).tables)
        for day in range(3)
        if inputs(Deployment(local, settings), toy.days(day, day + 1)).files
    ]
    assert sum(counts) == len(hours)
    assert len(landed.rows(settings)) == len(hours)


def test_the_same_files_again_write_nothing(toy_settings: Settings) -> None:
    toy.land(toy_settings, days=range(1))
    first = _ingest(toy_settings)
    versions = landed.versions(toy_settings)
    assert _ingest(toy_settings) == first
    assert landed.versions(toy_settings) == versions


def test_a_file_under_another_name_with_the_same_rows_adds_nothing(toy_settings: Settings) -> None:
    rows = [landed.job("a"), landed.job("b", size=2)]
    landed.put(toy_settings, FILE, rows)
    first = _ingest(toy_settings)
    landed.put(toy_settings, "2020-01-01.again.csv", rows[::-1])
    second = _ingest(toy_settings)
    assert second.tables == first.tables
    assert len(second.files) == 2


def test_a_corrected_file_of_the_same_name_replaces(toy_settings: Settings) -> None:
    landed.put(toy_settings, FILE, [landed.job("a"), landed.job("b", size=2), landed.job("wrong")])
    _ingest(toy_settings)
    landed.put(toy_settings, FILE, [landed.job("a", size=5), landed.job("b", size=2)])
    assert _ingest(toy_settings).tables[0].version == 1
    assert landed.sizes(toy_settings) == {"a": 5, "b": 2}


@pytest.mark.parametrize("numbers", [(1,), (1, 2), (9, 10)])
def test_a_correction_under_a_numbered_name_wins_over_what_it_corrects(
    toy_settings: Settings, numbers: tuple[int, ...]
) -> None:
    landed.put(toy_settings, FILE, [landed.job("a", size=0), landed.job("b", size=0)])
    for number in numbers:
        landed.put(toy_settings, f"2020-01-01.{number}.csv", [landed.job("a", size=number)])
    _ingest(toy_settings)
    assert landed.sizes(toy_settings) == {"a": numbers[-1], "b": 0}


def test_a_line_that_stands_in_its_file_twice_is_one_row(toy_settings: Settings) -> None:
    landed.put(toy_settings, FILE, [landed.job("a"), landed.job("b"), landed.job("a"), landed.job("a", size=" 1.0")])
    _ingest(toy_settings)
    assert landed.sizes(toy_settings) == {"a": 1, "b": 1}


def test_rows_without_a_key_are_all_kept_for_validation_to_see(toy_settings: Settings) -> None:
    landed.put(toy_settings, FILE, [landed.job("a"), *(landed.job("", size=size) for size in (1, 2, 3, 3))])
    first = _ingest(toy_settings)
    assert [row["size"] for row in landed.rows(toy_settings) if row["job"] is None] == [1, 2, 3]
    assert _ingest(toy_settings) == first


def test_known_at_is_the_event_plus_the_delay_or_the_declared_column(
    toy_settings: Settings, pipeline: Pipeline
) -> None:
    toy.land(toy_settings, days=range(1))
    _ingest(toy_settings)
    for feed, delay in (("jobs", 0), ("heat", 60), ("failures", 60)):
        column = pipeline.feeds[feed].event_time
        assert {(row["known_at"] - row[column]).total_seconds() for row in landed.rows(toy_settings, feed)} == {delay}
        assert all(row["created_at"] == row["known_at"] for row in landed.rows(toy_settings, feed))
    assert {row["known_at"] for row in landed.rows(toy_settings, "machines")} == {pipeline.coverage.start}


def test_a_declared_known_at_is_taken_from_its_column(toy_settings: Settings, pipeline: Pipeline) -> None:
    landed.put(toy_settings, FILE, [landed.job("a")])
    _ingest(toy_settings, pipeline=landed.with_feed(pipeline, "jobs", known_at="starts_at"))
    (row,) = landed.rows(toy_settings)
    assert row["known_at"] == row["starts_at"]


def test_an_outcome_that_has_not_landed_yet_is_named_missing_and_joins_later(toy_settings: Settings) -> None:
    toy.land(toy_settings, days=range(1), outcomes=False)
    assert _ingest(toy_settings).missing == ("failures",)
    toy.land(toy_settings, days=range(1))
    later = _ingest(toy_settings)
    assert later.missing == ()
    assert landed.versions(toy_settings) == dict.fromkeys((f"raw/{feed}" for feed in FEEDS), 0)


def test_hidden_and_half_written_files_are_not_read(toy_settings: Settings) -> None:
    toy.land(toy_settings, days=range(1))
    folder = Path(toy_settings.landing_uri) / "toy" / "jobs"
    for name in (f".{FILE}", f"{FILE}.part", f"{FILE}~", f"_{FILE}"):
        (folder / name).write_text("half")
    assert len(_ingest(toy_settings).files) == 4


def test_a_changed_static_table_is_replaced_whole(toy_settings: Settings) -> None:
    toy.land(toy_settings, days=range(2))
    _ingest(toy_settings)
    landed.put(toy_settings, "machines.csv", ["m9,1999"], feed="machines")
    _ingest(toy_settings, toy.days(1, 2))
    assert [row["machine"] for row in landed.rows(toy_settings, "machines")] == ["m9"]


def test_the_landing_folder_may_be_any_url(url_settings: Settings) -> None:
    landed.put(url_settings, FILE, [landed.job("a"), landed.job("b", size=2)])
    record = _ingest(url_settings)
    assert [file.uri for file in record.files] == [_absolute(f"{url_settings.landing_uri}/toy/jobs/{FILE}")]
    assert landed.sizes(url_settings) == {"a": 1, "b": 2}


def _absolute(url: str) -> str:
    return url.replace("memory://", "memory:///")


def test_inputs_change_with_the_bytes_of_the_windows_files_alone(toy_settings: Settings, pipeline: Pipeline) -> None:
    toy.land(toy_settings, days=range(2))
    before = inputs(Deployment(pipeline, toy_settings), DAY).to_json()
    landed.put(toy_settings, "2020-01-02.csv", [])
    assert inputs(Deployment(pipeline, toy_settings), DAY).to_json() == before
    landed.put(toy_settings, FILE, [])
    after = inputs(Deployment(pipeline, toy_settings), DAY).to_json()
    assert [uri.split("/toy/")[1] for uri in before if after[uri] != before[uri]] == [f"jobs/{FILE}"]


def test_withheld_outcomes_are_not_read_and_come_with_the_next_run(toy_settings: Settings, pipeline: Pipeline) -> None:
    toy.land(toy_settings, days=range(1))
    hidden = run_plainly(ingest, Deployment(pipeline, toy_settings), DAY, outcomes="withheld")
    assert hidden.missing == ("failures",)
    assert {file.feed for file in hidden.files} == {"jobs", "heat", "machines"}
    assert set(inputs(Deployment(pipeline, toy_settings), DAY, outcomes="withheld").to_json()) == {
        file.uri for file in hidden.files
    }
    assert hidden.alarms == ()
    whole = _ingest(toy_settings)
    assert whole.missing == ()
    assert {file.feed for file in whole.files} == set(pipeline.feeds)
    with pytest.raises(ConfigError, match="it is one of: landed, withheld"):
        run_plainly(ingest, Deployment(pipeline, toy_settings), DAY, outcomes="later")  # type: ignore[arg-type]
