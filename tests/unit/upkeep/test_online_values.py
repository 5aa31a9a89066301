"""Values online that outlived their view's ttl go, those that somebody can be answered with stay."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.support import toy
from tests.support.run_plainly import judged

from airloop.config import Pipeline
from airloop.config.serving import Serving, ViewFreshness
from airloop.deployment import Deployment
from airloop.errors import UpstreamUnavailable
from airloop.features.materialize import materialize
from airloop.run.stage_groups import GROUPS
from airloop.settings import Settings
from airloop.stores import state
from airloop.upkeep import online_values
from airloop.upkeep.replaced_records import DATA_STAGES


@pytest.fixture
def settings(toy_built: Settings, tmp_path: Path) -> Settings:
    return toy.nothing_online(toy_built, tmp_path)


def run(settings: Settings, first: int, end: int) -> None:
    window, at = toy.days(first, end), Deployment(toy.toy_pipeline(settings), settings)
    made = materialize(at, window, features=judged(window, "features"))
    state.save_record(settings, "toy", "materialize", input_key=str(window), window=window, record=made.to_json())


def held(settings: Settings, view: str) -> int:
    with closing(sqlite3.connect(settings.online_store["path"])) as connection:
        return int(connection.execute(f"SELECT count(DISTINCT entity_key) FROM toy_{view}").fetchone()[0])


def removed(settings: Settings, pipeline: Pipeline | None = None, *, dry_run: bool = False) -> dict[str, int]:
    found = online_values.remove(pipeline or toy.toy_pipeline(settings), settings, dry_run=dry_run)
    assert all(size > 0 for _, size in found.values())
    return {view: count for view, (count, _) in found.items()}


def test_values_go_that_were_too_old_when_the_newest_window_began_and_a_second_time_there_are_none(
    settings: Settings,
) -> None:
    for first, end in ((0, 3), (8, 10), (10, 12)):
        run(settings, first, end)
    keys, size = 7 * toy.ROWS_A_DAY, Path(settings.online_store["path"]).stat().st_size
    expected = {"job_static": 2 * 3 * toy.ROWS_A_DAY}
    assert removed(settings, dry_run=True) == expected
    assert (held(settings, "job_static"), held(settings, "machine_heat")) == (keys, 5)
    assert removed(settings) == expected
    # Of days 8 and 9, too: their ttl of two days reaches into the newest window.
    assert (held(settings, "job_static"), held(settings, "machine_heat")) == (4 * toy.ROWS_A_DAY, 5)
    assert removed(settings) == {}
    assert Path(settings.online_store["path"]).stat().st_size <= size


def test_an_old_window_is_materialized_again_after_its_keys_newer_values_went(settings: Settings) -> None:
    for first, end in ((0, 3), (3, 5), (50, 51)):
        run(settings, first, end)
    assert removed(settings)["machine_heat"] == 5
    run(settings, 0, 2)
    assert held(settings, "machine_heat") == 5
    assert removed(settings)["machine_heat"] == 5
    assert held(settings, "machine_heat") == 0


@pytest.mark.parametrize("told_apart", [{"when_stale": "flag"}, {"when_stale": "refuse"}, {"when_absent": "refuse"}])
def test_a_view_whose_stale_values_are_used_or_told_from_absent_ones_keeps_them(
    settings: Settings, told_apart: dict[str, str]
) -> None:
    for first, end in ((0, 3), (20, 21)):
        run(settings, first, end)
    rules = {"job_static": ViewFreshness.model_validate(told_apart)}
    pipeline = toy.toy_pipeline(settings).model_copy(update={"serving": Serving(freshness=rules)})
    assert "job_static" not in removed(settings, pipeline, dry_run=True)
    assert "job_static" in removed(settings, dry_run=True)


def test_before_anything_was_materialized_there_is_nothing_to_remove(settings: Settings) -> None:
    assert removed(settings) == {}
    assert not Path(settings.online_store["path"]).exists()


def test_a_broken_store_is_an_outage(settings: Settings) -> None:
    run(settings, 0, 1)
    Path(settings.online_store["path"]).write_bytes(b"no database" * 1000)
    with pytest.raises(UpstreamUnavailable, match=r"the online store .*online\.db: "):
        removed(settings)


def test_records_of_every_data_stage_are_looked_after() -> None:
    assert {*DATA_STAGES} == {*GROUPS["data"]}
