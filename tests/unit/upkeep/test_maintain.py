"""`airloop maintain`: what was replaced goes, what anything stands on stays, and nothing is computed again."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from deltalake import DeltaTable
from tests.support import lake_rows, ledger_entries, toy
from tests.support.command import Airloop
from tests.support.lake_rows import JANUARY

from airloop.errors import GuardRefused
from airloop.records import Window
from airloop.reports.publish import publish, report_uri
from airloop.settings import Settings
from airloop.stores import lake, state
from airloop.stores.tables import stage_runs
from airloop.upkeep import lake_files
from airloop.upkeep.maintain import Upkeep, maintain

WINDOWS = tuple(toy.days(first, first + 10) for first in (0, 10, 20, 30))
LONG_AGO = datetime(2021, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Forty days in four windows: January's tables have a file for each of its three or four."""
    settings = toy.write_project(tmp_path_factory.mktemp("upkeep") / "project", Path(__file__).parents[3])
    toy.land(settings, days=range(40))
    for window in WINDOWS:
        toy.run_data(settings, window)
    return settings


def look_after(settings: Settings, *, dry_run: bool = False) -> tuple[Upkeep, ...]:
    return maintain(toy.toy_pipeline(settings), settings, dry_run=dry_run)


def state_of(settings: Settings) -> tuple[list[object], list[object]]:
    """Numbers of all stage records, and the files of all tables."""
    with state.reading(settings) as connection:
        numbers = list(connection.execute(sa.select(stage_runs.c.id).order_by(stage_runs.c.id)).scalars())
    return numbers, [sorted(DeltaTable(uri).files()) for uri in lake_files.table_uris("toy", settings)]


def test_a_dry_run_counts_and_changes_nothing(home: Settings) -> None:
    before = state_of(home)
    counted = look_after(home, dry_run=True)
    assert {item.what for item in counted} == {"compact"}
    assert state_of(home) == before


def test_closed_months_are_compacted_and_no_stage_runs_again(home: Settings) -> None:
    # Once more: the windows of a month read what those after them wrote to its files.
    for window in WINDOWS:
        toy.run_data(home, window)
    numbers, before = state_of(home)
    rows = {uri: lake.read(uri, home).num_rows for uri in lake_files.table_uris("toy", home)}
    counted = look_after(home, dry_run=True)
    assert look_after(home) == counted
    assert sum(map(len, state_of(home)[1])) < sum(map(len, before))
    assert {uri: lake.read(uri, home).num_rows for uri in rows} == rows
    for window in WINDOWS:
        toy.run_data(home, window)
    assert state_of(home)[0] == numbers


def test_a_second_time_there_is_nothing_to_do(home: Settings) -> None:
    look_after(home)
    before = state_of(home)
    assert look_after(home) == ()
    assert state_of(home) == before


@pytest.mark.parametrize(("keep_days", "gone"), [(30, 0), (0, 2)])
def test_files_that_were_replaced_longer_ago_than_kept_go(toy_settings: Settings, keep_days: int, gone: int) -> None:
    uri = lake.table_uri(toy_settings, "toy", "raw", "jobs")
    for value in (1.0, 2.0, 3.0):
        lake_rows.replace(uri, toy_settings, JANUARY, lake_rows.row(1, JANUARY, value))
    assert len(list(Path(uri).glob("month=*/*.parquet"))) == 3
    removed, freed = lake_files.vacuum(uri, toy_settings, keep_days=keep_days, dry_run=False)
    assert (removed, freed > 0) == (gone, gone > 0)
    assert len(list(Path(uri).glob("month=*/*.parquet"))) == 3 - gone
    assert lake.read(uri, toy_settings)["value"].to_pylist() == [3.0]


@pytest.mark.parametrize("named", [(), (0,), (1, 99)])
def test_files_of_a_version_that_is_to_be_read_again_stay_and_so_does_its_log(
    toy_settings: Settings, named: tuple[int, ...]
) -> None:
    uri = lake.table_uri(toy_settings, "toy", "raw", "jobs")
    for value in (1.0, 2.0, 3.0):
        lake_rows.replace(uri, toy_settings, JANUARY, lake_rows.row(1, JANUARY, value))
    kept = [version for version in named if version < 3]
    for gone in (2 - len(kept), 0):
        assert lake_files.vacuum(uri, toy_settings, keep_days=0, dry_run=False, named=named)[0] == gone
    assert lake.read(uri, toy_settings)["value"].to_pylist() == [3.0]
    for version in kept:
        table = DeltaTable(uri, version=version)
        assert table.to_pyarrow_table()["value"].to_pylist() == [version + 1.0]
    entries = sorted(path.stem for path in Path(uri, "_delta_log").glob("*.json"))
    assert entries[0] == f"{0 if kept else 2:020}"


def _record(settings: Settings, stage: str, key: str, window: Window, *, finished: datetime) -> None:
    state.save_record(settings, "toy", stage, input_key=key, window=window, record={"key": key})
    with state.transaction(settings) as connection:
        connection.execute(
            sa.update(stage_runs).where(stage_runs.c.input_key == key).values(finished_at=state.instant_text(finished))
        )


def test_records_that_a_newer_one_of_the_window_replaced_go_and_no_other(toy_settings: Settings) -> None:
    day, other = toy.days(0, 1), toy.days(1, 2)
    _record(toy_settings, "ingest", "replaced", day, finished=LONG_AGO)
    _record(toy_settings, "ingest", "lately", day, finished=datetime.now(UTC))
    _record(toy_settings, "ingest", "newest", day, finished=LONG_AGO)
    _record(toy_settings, "ingest", "alone", other, finished=LONG_AGO)
    for key in ("first", "second"):
        _record(toy_settings, "decide", key, day, finished=LONG_AGO)
    (done,) = look_after(toy_settings)
    assert (done.what, done.where, done.removed) == ("records", "ingest", 1)
    with state.reading(toy_settings) as connection:
        kept = list(connection.execute(sa.select(stage_runs.c.input_key).order_by(stage_runs.c.id)).scalars())
    assert kept == ["lately", "newest", "alone", "first", "second"]


def _declare(settings: Settings, retention: str) -> None:
    declared = settings.pipelines_dir / "toy" / "pipeline.yaml"
    declared.write_text(declared.read_text() + f"retention: {retention}\n")


def test_of_a_ledger_that_does_not_verify_nothing_is_removed(toy_settings: Settings) -> None:
    ledger_entries.two_champions(toy_settings)
    assert look_after(toy_settings) == ()
    ledger_entries.run_sql(toy_settings, "UPDATE ledger SET payload = '{}' WHERE sequence = 2")
    with pytest.raises(GuardRefused, match=r"entry 2 .* was changed"):
        look_after(toy_settings)


@pytest.mark.parametrize(
    ("retention", "kept"), [("{reports_days: 10}", ["new", "catalogue"]), ("{}", ["old", "new", "catalogue"])]
)
def test_reports_go_only_where_days_are_declared(toy_settings: Settings, retention: str, kept: list[str]) -> None:
    _declare(toy_settings, retention)
    places = {
        "old": report_uri(toy_settings, "toy", "validation", window=toy.days(0, 1), suffix=".html"),
        "new": report_uri(toy_settings, "toy", "validation", window=toy.days(1, 2), suffix=".html"),
        "catalogue": f"{toy_settings.reports_uri}/toy/catalogue.json",
    }
    for uri in places.values():
        publish(uri, "text", toy_settings)
    for name in ("old", "catalogue"):
        os.utime(places[name], (LONG_AGO.timestamp(),) * 2)
    look_after(toy_settings)
    assert [name for name, uri in places.items() if Path(uri).exists()] == kept


def test_less_than_a_day_is_refused(toy_settings: Settings, airloop: Airloop) -> None:
    _declare(toy_settings, "{replaced_files_days: 0}")
    said = airloop("maintain", "toy")
    assert said.code != 0
    assert "retention.replaced_files_days" in said.err


def test_the_command_says_what_it_did(toy_settings: Settings, airloop: Airloop) -> None:
    for key in ("replaced", "newest"):
        _record(toy_settings, "ingest", key, toy.days(0, 1), finished=LONG_AGO)
    assert "would be removed" in airloop("maintain", "toy", "--dry-run").out
    (done,) = json.loads(airloop("maintain", "toy", "--json").out)
    assert (done["what"], done["removed"]) == ("records", 1)
    assert "nothing to do" in airloop("maintain", "toy").out
