"""What a rollback asks of a version: its files, a prediction in a fresh process, and features that mean the same."""

import pytest
from tests.support import command, ledger_entries, toy, toy_turned

from airloop.errors import GuardRefused
from airloop.gate import going_back
from airloop.stores import ledger
from airloop.stores.mlflow import registry

NOW = toy.days(0, toy_turned.NEW).end


@pytest.fixture
def airloop_of_turned(turned_ledger, monkeypatch, capsys):
    monkeypatch.setenv("AIRLOOP_STATE_URL", turned_ledger.state_url)
    yield command.in_checkout(turned_ledger, monkeypatch, capsys)
    registry.delete_alias(turned_ledger, "toy", "champion")


def test_a_version_that_loads_and_predicts_is_put_in_force(turned_ledger, airloop_of_turned):
    ledger_entries.put_in_force(turned_ledger, "toy", 2, NOW, previous=1)
    rolled = airloop_of_turned("rollback", "toy", "--why", "it is worse on m3")
    assert rolled.out.startswith("version 1 is champion in place of 2 for windows from 2020-03-01T00:00Z on")
    assert registry.aliases(turned_ledger, "toy")["champion"] == 1
    entry = ledger.entries(turned_ledger, "toy", kind="rolled_back")[0]
    assert (entry.payload["why"], len(entry.payload["model_digest"])) == ("it is worse on m3", 64)
    assert ledger.verify(turned_ledger, "toy") == []
    refused = airloop_of_turned("unlock", "toy", "--why", "")
    assert (refused.code, "a reason is required" in refused.err) == (1, True)
    assert airloop_of_turned("unlock", "toy", "--why", "mended").code == 0
    assert ledger.history(turned_ledger, "toy").lock() is None


def test_a_version_whose_features_mean_something_else_now_is_refused(turned_ledger):
    changed = toy_turned.registered(turned_ledger, "rolled", feature_fingerprint="0" * 64)
    ledger_entries.put_in_force(turned_ledger, "toy", changed, NOW, previous=1)
    history, pipeline = ledger.history(turned_ledger, "toy"), toy.toy_pipeline(turned_ledger)
    with pytest.raises(GuardRefused, match=rf"is not what version {changed} was trained on.*choose another version"):
        going_back.checked(pipeline, changed, history, turned_ledger)
    assert len(going_back.checked(pipeline, 1, history, turned_ledger)) == 64


def test_a_version_whose_labels_mean_something_else_now_is_refused(turned_ledger, tmp_path):
    old, new = "failed::DOUBLE AS label", "1 - failed::DOUBLE AS label"
    settings = toy.edited(turned_ledger, tmp_path / "edited", "features.sql", old, new)
    history = ledger.history(settings, "toy")
    with pytest.raises(GuardRefused, match=r"turned round\); choose another version by --to"):
        going_back.checked(toy.toy_pipeline(settings), 1, history, settings)
    assert going_back.checked(toy.toy_pipeline(turned_ledger), 1, history, turned_ledger)
