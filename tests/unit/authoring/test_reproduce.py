"""A version trained again is the same bit for bit, or what differs is said; other code is named, and the way to it."""

import json

import pytest
from tests.support import command, toy, toy_turned

from airloop.authoring import reproduce
from airloop.stores.mlflow import registry


@pytest.fixture
def airloop_of_turned(turned, monkeypatch, capsys):
    return command.in_checkout(turned, monkeypatch, capsys)


def test_a_version_trained_again_is_identical(turned, airloop_of_turned):
    done = airloop_of_turned("reproduce", "toy", "1")
    assert (done.code, done.out.startswith("identical: ")) == (0, True), done
    assert "all metrics of version 1, bit for bit" in done.out


def test_a_version_of_other_parameters_differs_and_says_by_how_much(turned, airloop_of_turned):
    changed = toy_turned.registered(turned, "other parameters")
    tags = registry.version_of(turned, "toy", changed).tags
    worse = {"C": 0.0001} if tags["airloop.candidate"] == "logistic_regression" else {"max_leaf_nodes": 2}
    registry.tag_version(turned, "toy", changed, {"airloop.params": json.dumps(worse)})
    found = reproduce.reproduce(toy.toy_pipeline(turned), changed, turned)
    assert not found.identical
    assert found.differing == found.rows
    assert found.largest > 0.01
    assert "brier" in found.metrics


def test_other_code_is_named_with_the_way_to_it(turned, airloop_of_turned):
    changed = toy_turned.registered(turned, "other code")
    registry.tag_version(turned, "toy", changed, {"airloop.code_commit": "c" * 40})
    done = airloop_of_turned("reproduce", "toy", str(changed))
    assert done.code == 1
    assert f"git worktree add ../toy-v{changed} cccccccccccc" in done.out
    registry.tag_version(turned, "toy", changed, {"airloop.code_commit": "c" * 40 + "-dirty"})
    assert "was not committed" in airloop_of_turned("reproduce", "toy", str(changed)).out
    assert airloop_of_turned("reproduce", "toy", str(changed), "--anyway").code == 0
