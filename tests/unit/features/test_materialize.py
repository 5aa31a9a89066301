"""materialize: the newest known value of each key is online, whatever the order, and is read back to prove it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from feast import FeatureStore
from tests.support import toy
from tests.support.run_plainly import judged

from airloop.deployment import Deployment
from airloop.errors import DataContractError
from airloop.features import feature_store
from airloop.features.materialize import materialize
from airloop.settings import Settings
from airloop.stores import lake, state

MACHINES = [{"machine": f"m{number}"} for number in range(5)]


@pytest.fixture
def settings(toy_built: Settings, tmp_path: Path) -> Settings:
    return toy.nothing_online(toy_built, tmp_path)


def run(settings, first, end):
    return materialize(
        Deployment(toy.toy_pipeline(settings), settings),
        toy.days(first, end),
        features=judged(toy.days(first, end), "features"),
    )


def online(settings):
    store = feature_store.open_store(toy.toy_pipeline(settings), settings)
    read = store.get_online_features(["machine_heat:celsius"], entity_rows=MACHINES)
    return read.to_dict(include_event_timestamps=True)


def newest(settings, end):
    """Celsius of each machine, newest known before the end of the day."""
    uri = lake.table_uri(settings, "toy", "features", "machine_heat")
    rows = lake.read(uri, settings, where=lake.between("known_at", toy.days(0, end))).to_pandas()
    rows = rows.sort_values("known_at").drop_duplicates("machine", keep="last").set_index("machine")
    return [rows.loc[key["machine"], "celsius"] for key in MACHINES]


def tamper(settings, sql):
    with closing(sqlite3.connect(settings.online_store["path"])) as connection, connection:
        assert connection.execute(sql).rowcount > 0


def test_the_newest_value_of_every_key_of_the_window_is_online(settings):
    found = run(settings, 0, 3)
    assert found.rows == {"job_static": 3 * toy.ROWS_A_DAY, "machine_heat": 5}
    assert found.checked_keys == 20 + 5
    assert online(settings)["celsius"] == newest(settings, 3)


def test_materializing_twice_leaves_the_same_values(settings):
    first = run(settings, 0, 3)
    before = online(settings)
    assert run(settings, 0, 3) == first
    assert online(settings) == before


def test_an_older_window_never_overwrites_a_newer_value(settings):
    run(settings, 3, 5)
    after = online(settings)
    assert run(settings, 0, 3).rows["machine_heat"] == 5
    assert online(settings) == after
    assert after["celsius"] == newest(settings, 5) != newest(settings, 3)


def test_windows_in_any_order_end_with_the_same_values(settings):
    for first in (2, 0, 1):
        run(settings, first, first + 1)
    assert online(settings)["celsius"] == newest(settings, 3)


def test_features_that_are_built_and_not_materialized_yet_do_not_count(settings):
    run(settings, 0, 2)
    assert online(settings)["celsius"] == newest(settings, 2) != newest(settings, 45)


def test_a_wrong_value_online_is_refused_until_its_window_is_materialized_again(settings):
    run(settings, 0, 3)
    wrong = "SELECT value FROM toy_job_static WHERE feature_name = 'job_size'"
    tamper(settings, f"UPDATE toy_machine_heat SET value = ({wrong})")
    with pytest.raises(
        DataContractError, match=r"machine_heat\.celsius of {'machine': 'm\d'} is .*newest value known is"
    ):
        run(settings, 0, 2)
    run(settings, 0, 3)
    assert online(settings)["celsius"] == newest(settings, 3)


def test_a_value_that_was_lost_after_a_later_window_was_materialized_is_refused(settings):
    later = run(settings, 0, 3)
    state.save_record(settings, "toy", "materialize", input_key="later", window=later.window, record=later.to_json())
    tamper(settings, "DELETE FROM toy_machine_heat")
    with pytest.raises(DataContractError, match=r"online store: machine_heat\.celsius"):
        run(settings, 0, 2)


def test_an_engine_that_writes_nothing_is_refused(settings, monkeypatch):
    monkeypatch.setattr(FeatureStore, "materialize", lambda *_arguments: None)
    with pytest.raises(
        DataContractError, match=r"online store: job_static\.machine_code of {'job': 'j\d+-\d+'} is None"
    ):
        run(settings, 0, 2)


def test_a_window_without_rows_changes_nothing(settings):
    run(settings, 0, 2)
    before = online(settings)
    found = run(settings, 50, 51)
    assert (found.rows, found.checked_keys) == ({"job_static": 0, "machine_heat": 0}, 0)
    assert online(settings) == before
