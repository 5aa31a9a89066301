"""Feast's registry stays as small as the definitions are: applied once each, spans that touch are one."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from feast import FeatureStore
from tests.support import toy
from tests.support.run_plainly import judged

from airloop.deployment import Deployment
from airloop.features import feature_store
from airloop.features.feast_registry import touching
from airloop.features.feature_store import opened
from airloop.features.materialize import materialize
from airloop.settings import Settings

NEW_YEAR = datetime(2020, 1, 1, tzinfo=UTC)


def day(first: float, end: float) -> tuple[datetime, datetime]:
    return NEW_YEAR + timedelta(days=first), NEW_YEAR + timedelta(days=end)


@pytest.fixture
def settings(toy_built: Settings, tmp_path: Path) -> Settings:
    return toy.nothing_online(toy_built, tmp_path)


@pytest.fixture
def applied(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What Feast was asked to apply, one entry a call."""
    calls: list[object] = []
    original = FeatureStore.apply

    def counted(store, objects, **options):
        calls.append(objects)
        return original(store, objects, **options)

    monkeypatch.setattr(FeatureStore, "apply", counted)
    return calls


def open_toy(settings: Settings):
    return feature_store.open_store(toy.toy_pipeline(settings), settings)


@pytest.mark.parametrize(
    ("spans", "union"),
    [
        ([], []),
        ([day(0, 1), day(1, 2), day(2, 3)], [day(0, 3)]),
        ([day(2, 3), day(0, 1)], [day(0, 1), day(2, 3)]),
        ([day(0, 3), day(1, 2)], [day(0, 3)]),
        ([day(0, 1), day(0, 1)], [day(0, 1)]),
    ],
    ids=["none", "touching", "a_gap", "inside", "twice"],
)
def test_the_union_of_spans_is_as_few_as_can_be(spans, union):
    assert touching(spans) == union


def test_definitions_are_applied_once(settings, applied):
    for _ in range(3):
        open_toy(settings)
    assert len(applied) == 1


def test_changed_definitions_are_applied(settings, applied, monkeypatch):
    open_toy(settings)
    original = feature_store.definitions(toy.toy_pipeline(settings), settings)
    monkeypatch.setattr(opened, "definitions", lambda _pipeline, _settings: original[:-1])
    open_toy(settings)
    assert len(applied) == 2


@pytest.mark.parametrize("gone", ["online.db", "registry.db"])
def test_a_store_that_is_gone_is_made_again(settings, applied, tmp_path, gone):
    open_toy(settings)
    (tmp_path / gone).unlink()
    open_toy(settings)
    assert len(applied) == 2
    assert (
        materialize(
            Deployment(toy.toy_pipeline(settings), settings),
            toy.days(0, 1),
            features=judged(toy.days(0, 1), "features"),
        ).checked_keys
        > 0
    )


def test_windows_one_after_the_other_leave_one_span_and_the_registry_as_small(settings, tmp_path):
    sizes = []
    for first in (1, 0, 2):
        materialize(
            Deployment(toy.toy_pipeline(settings), settings),
            toy.days(first, first + 1),
            features=judged(toy.days(first, first + 1), "features"),
        )
        with closing(sqlite3.connect(tmp_path / "registry.db")) as connection:
            sizes.append(connection.execute("SELECT sum(length(feature_view_proto)) FROM feature_views").fetchone()[0])
    spans = [view.materialization_intervals for view in open_toy(settings).list_feature_views()]
    assert spans == [[(toy.days(0, 3).start, toy.days(0, 3).end)]] * len(spans)
    # The instant of the last update takes a few bytes more or less.
    assert abs(sizes[0] - sizes[-1]) < 20
