"""The page of the prediction service shows what was collected: traffic, versions, the challenger, far features."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.support import ledger_entries, pages_stand, toy

from airloop.gate import lock
from airloop.pages import answers, compared_features, overview, serving
from airloop.pages.site import Site
from airloop.serving import collect
from airloop.serving.logged import Logged, Other, new_ids
from airloop.serving.prediction_log import PredictionLog
from airloop.settings import Settings
from airloop.stores import ledger

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
FEATURES = {"machine_code": "m1", "job_size": 40.0, "celsius": 61.5}


def log(settings: Settings, count: int, ago: timedelta, **changes: Any) -> None:
    """So many answers, a second apart, collected into the lake."""
    writer = PredictionLog(settings)
    start = NOW - ago
    for number in range(count):
        at = start + timedelta(seconds=number)
        values = {
            "id": new_ids(at.timestamp(), 1)[0],
            "at": at.isoformat(),
            "pipeline": "toy",
            "version": 1,
            "decision": 1,
            "as_of": at.isoformat(),
            "features": FEATURES,
            "prediction": 0.25,
            "latency_ms": 2.0,
            "caller": "open",
            "protocol": "/v1",
            "form": "trees",
            "explicit": [*FEATURES],
        }
        writer.append("toy", [Logged(**{**values, **changes})])
    writer.close()
    collect.collect(toy.toy_pipeline(settings), settings)


def shown(settings: Settings) -> str:
    return serving.page(Site(settings, "/airloop", NOW), "toy")


@pytest.fixture
def settings(toy_settings: Settings) -> Settings:
    ledger_entries.put_in_force(toy_settings, "toy", 1, toy.START)
    return toy_settings


def test_before_anything_was_asked_the_page_says_how_to_begin(toy_settings: Settings) -> None:
    page = shown(toy_settings)
    assert "Nothing of toy was asked yet" in page
    assert "airloop keys create" in page
    assert "No version was promoted yet" in page


def test_answers_are_shown_over_the_shortest_span_with_enough_of_them(settings: Settings, monkeypatch: Any) -> None:
    monkeypatch.setattr(answers, "_ENOUGH", 20)
    log(settings, 12, timedelta(minutes=10))
    assert answers.newest(settings, "toy", NOW).span == "hour"
    log(settings, 12, timedelta(hours=4, minutes=50), latency_ms=8.0, flags={"machine_heat": "stale"})
    found = answers.newest(settings, "toy", NOW)
    assert (found.span, found.answers, found.p50, found.stale) == ("day", 24, 5.0, 0.5)
    busy = [slot for slot in found.slots if slot.answers]
    assert [(slot.answers, slot.p50) for slot in busy] == [(12, 8.0), (12, 2.0)]
    page = shown(settings)
    assert "Answers in the last day" in page
    assert "champion" in page


def test_old_answers_are_shown_rather_than_none(settings: Settings) -> None:
    log(settings, 3, timedelta(days=100))
    assert answers.newest(settings, "toy", NOW).span == "year"


def test_a_challenger_is_shown_with_how_it_is_asked_how_far_it_is_and_a_lock(settings: Settings) -> None:
    ledger_entries.decided(settings, "toy", 2, at=toy.START, champion=1)
    path = settings.pipelines_dir / "toy" / "pipeline.yaml"
    path.write_text(path.read_text() + "serving: {shadow: true, canary: {share: 0.1}}\n")
    assert "no row that both predicted" in shown(settings)
    log(settings, 3, timedelta(minutes=5), other=Other(2, 4, 0.255))
    log(settings, 1, timedelta(minutes=5), version=2, role="canary", prediction=0.355, other=Other(1, 1, 0.25))
    page = shown(settings)
    assert "v2 shadows and answers 10 %" in page
    assert "4 rows that both predicted, 1 of them answered by v2" in page
    assert "0.0300 apart on average, 75 % of the rows within 0.01" in page
    assert "promotions locked" not in page
    lock.lock(settings, "toy", why="checking", who="ann")
    assert "promotions locked: no canary" in shown(settings)


def test_a_version_that_waits_for_live_traffic_stands_on_the_loop_with_the_way_out(settings: Settings) -> None:
    ledger_entries.decided(settings, "toy", 2, at=toy.START, champion=1)
    path = settings.pipelines_dir / "toy" / "pipeline.yaml"
    plain = path.read_text()
    assert "Live traffic" not in overview.page(Site(settings, "/airloop", NOW), "toy")
    ruled = plain.replace("\ngate:\n", "\ngate:\n  rules: [{kind: shadowed}]\n", 1)
    path.write_text(f"{ruled}serving: {{shadow: true}}\n")
    page = overview.page(Site(settings, "/airloop", NOW), "toy")
    assert "v2 passed its gate (decision 4) and has to shadow the champion" in page
    assert "airloop status" in page
    payload = {"decision_sequence": 4, "version": 2, "outcome": "refused", "why": "worse", "measured": {}}
    ledger.append(settings, "toy", kind="shadowed", effective_at=toy.START, payload=payload)
    page = overview.page(Site(settings, "/airloop", NOW), "toy")
    assert "Live traffic" not in page
    assert "v2 challenger" not in page


def test_features_that_are_far_from_training_come_first(tmp_path: Any, settings: Settings) -> None:
    trained = {
        "part": ["train"] * 10,
        "celsius": [float(value) for value in range(10)],
        "job_size": [40.0] * 10,
        "machine_code": ["m1"] * 10,
    }
    path = tmp_path / "snapshot.parquet"
    pq.write_table(pa.table(trained), path)
    snapshot = {"uri": str(path), "features": ["celsius", "job_size", "machine_code"]}
    live = [{"celsius": 99.0, "job_size": None, "machine_code": "m7"}, {**FEATURES, "celsius": 99.0}]
    found = {item.name: item for item in compared_features.compared(settings, snapshot, live)}
    assert (found["celsius"].far, found["celsius"].live[1], found["celsius"].trained[1]) == (True, 99.0, 4.5)
    assert (found["job_size"].far, found["job_size"].missing, found["job_size"].missing_trained) == (True, 0.5, 0.0)
    assert (found["machine_code"].far, found["machine_code"].unseen) == (True, 0.5)
    near = compared_features.compared(settings, snapshot, [{**FEATURES, "celsius": 4.0}] * 3)
    assert [item.far for item in near] == [False, False, False]
    assert compared_features.compared(settings, {**snapshot, "uri": str(tmp_path / "gone")}, live) == []


def test_nasty_values_are_shown_as_they_are(settings: Settings) -> None:
    log(settings, 2, timedelta(minutes=1), features={**FEATURES, "machine_code": pages_stand.NASTY})
    assert pages_stand.NASTY not in shown(settings)
