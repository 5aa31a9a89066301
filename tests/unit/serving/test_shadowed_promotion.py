"""Before a promotion live traffic counts: a version waits as challenger, passes, or is refused for good."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError
from tests.support import ledger_entries, toy
from tests.support.served_toy import CUTOFF, EXPLICIT

from airloop.config import Pipeline
from airloop.deployment import Deployment
from airloop.errors import GuardRefused
from airloop.features import examples
from airloop.gate import promote, shadowing
from airloop.records import Scored, Window
from airloop.serving import collect
from airloop.serving.logged import Logged, Other, new_ids
from airloop.serving.prediction_log import PredictionLog
from airloop.stores import ledger, state

START = toy.days(0, CUTOFF).end
FIRST, SECOND = toy.days(18, 19), toy.days(19, 20)


def declared(settings, **rule):
    """The toy whose versions have to be beside the champion for two days."""
    pipeline = toy.toy_pipeline(settings)
    values = json.loads(pipeline.model_dump_json(exclude_unset=True))
    values["gate"]["rules"] = [{"kind": "shadowed", "windows": 2, "min_rows": 20, **rule}]
    return Pipeline.model_validate({**values, "serving": {"shadow": True}})


@pytest.fixture
def waiting(served):
    """Decision on version 2, which waits; everything up to day 25 was scored."""
    span = Window(START - timedelta(days=1), START)
    record = Scored(span, 1, "champion", "live", 1, 1, 1)
    state.save_record(served, "toy", "score", input_key="scored", window=span, record=record.to_json())
    return ledger_entries.decided(served, "toy", 2, at=START, champion=1)


def beside(settings, *windows, champion=0.3, challenger=0.31, versions=(1, 2), role=""):
    """Rows of these days that both versions were asked about, collected into the lake."""
    pipeline, log = declared(settings), PredictionLog(settings)
    for window in windows:
        rows = examples.examples(pipeline, window, settings).to_pylist()
        said = [Other(version, 9, value) for version, value in zip(versions, (champion, challenger), strict=True)]
        own, other = reversed(said) if role else said
        now = datetime.now(UTC)
        records = [
            Logged(
                id=new_ids(now.timestamp(), 1)[0],
                at=now.isoformat(),
                pipeline="toy",
                version=own.version,
                decision=own.decision,
                as_of=row["decision_time"].isoformat(),
                features=dict(EXPLICIT),
                prediction=own.prediction,
                latency_ms=1.0,
                caller="open",
                protocol="/v1",
                form="trees",
                entity={"job": row["job"]},
                explicit=[*EXPLICIT],
                role=role,
                other=other,
            )
            for row in rows
        ]
        log.append("toy", records)
    log.close()
    collect.collect(pipeline, settings)


def decision(settings, number):
    from airloop.records import Decision

    entry = ledger.history(settings, "toy").decision(number)
    return replace(Decision.from_json(entry.payload), sequence=number)


def moves(settings, pipeline, number):
    window = Window(pipeline.coverage.start, START)
    return promote.promote(Deployment(pipeline, settings), window, decision=decision(settings, number))


def test_a_version_waits_until_it_was_beside_the_champion_for_long_enough_and_is_promoted_by_nobody(served, waiting):
    pipeline = declared(served)
    head = ledger.head(served, "toy")
    for expected in ("0 of 2 windows", "1 of 2 windows"):
        standing = shadowing.ask(pipeline, served, waiting)
        assert standing.outcome == "waits"
        assert standing.says.startswith(expected)
        assert shadowing.due(pipeline, served) is None
        with pytest.raises(GuardRefused, match=rf"version 2 waits as challenger .*{expected}.*monitoring asks again"):
            moves(served, pipeline, waiting)
        beside(served, FIRST)
    assert ledger.head(served, "toy") == head
    assert ledger.history(served, "toy").waiting().sequence == waiting
    beside(served, SECOND)
    assert shadowing.due(pipeline, served) == waiting
    shadowing.require(pipeline, served, ledger.history(served, "toy").decision(waiting))


def test_what_passed_stands_on_record_once_with_its_evidence(served, waiting):
    pipeline = declared(served)
    beside(served, FIRST, SECOND)
    first = shadowing.ask(pipeline, served, waiting)
    assert first.outcome == "passed"
    assert shadowing.ask(pipeline, served, waiting) == first
    (entry,) = ledger.entries(served, "toy", kind="shadowed")
    assert (entry.payload["decision_sequence"], entry.payload["version"]) == (waiting, 2)
    assert entry.payload["measured"]["windows"] == 2
    assert entry.payload["measured"]["difference"] == pytest.approx(0.01)
    assert entry.payload["measured"]["evidence"]["metric"] == pipeline.gate.compare.metric
    assert ledger.verify(served, "toy") == []


def test_one_that_is_surely_worse_is_refused_for_good_and_is_challenger_no_longer(served, waiting):
    pipeline = declared(served)
    beside(served, FIRST, SECOND, challenger=0.99)
    assert shadowing.due(pipeline, served) is None
    assert shadowing.ask(pipeline, served, waiting).outcome == "refused"
    assert ledger.history(served, "toy").waiting() is None
    beside(served, toy.days(20, 21), toy.days(21, 22))
    with pytest.raises(GuardRefused, match=r"version 2 was refused on live traffic .*train again"):
        moves(served, pipeline, waiting)


def test_predictions_that_are_too_far_apart_are_refused_before_any_label_is_there(served, waiting):
    beside(served, FIRST, SECOND, challenger=0.5)
    assert shadowing.ask(declared(served, labelled=False), served, waiting).outcome == "passed"
    again = ledger_entries.decided(served, "toy", 3, at=START, champion=1)
    beside(served, FIRST, SECOND, challenger=0.5, versions=(1, 3))
    found = shadowing.ask(declared(served, labelled=False, max_difference=0.1), served, again)
    assert found.outcome == "refused"
    assert "0.2000 apart on average, must be at most 0.1" in found.says


def test_what_a_canary_answered_counts_like_what_was_shadowed(served, waiting):
    beside(served, FIRST, SECOND, role="canary")
    assert shadowing.ask(declared(served), served, waiting).outcome == "passed"


@pytest.mark.parametrize("versions", [(1, 3), (7, 2)])
def test_rows_of_another_version_or_beside_another_champion_do_not_count(served, waiting, versions):
    beside(served, FIRST, SECOND, versions=versions)
    assert shadowing.ask(declared(served), served, waiting).outcome == "waits"


def test_windows_that_are_not_over_or_whose_labels_are_not_mature_do_not_count(served, waiting):
    beside(served, toy.days(CUTOFF - 1, CUTOFF), toy.days(CUTOFF, CUTOFF + 1))
    found = shadowing.ask(declared(served), served, waiting)
    assert found.outcome == "waits"
    assert found.says.startswith("0 of 2 windows")


def test_where_there_is_no_champion_to_stand_beside_nothing_is_waited_for(toy_settings):
    first = ledger_entries.decided(toy_settings, "toy", 1, at=START)
    assert shadowing.ask(declared(toy_settings), toy_settings, first).outcome == "passed"
    assert ledger.entries(toy_settings, "toy", kind="shadowed") == ()


def test_a_champion_that_cannot_be_compared_is_not_waited_for(served):
    number = ledger_entries.decided(served, "toy", 2, at=START, champion=1, not_comparable="its features changed")
    assert shadowing.ask(declared(served), served, number).outcome == "passed"


def test_a_rule_that_could_never_be_kept_is_refused_where_it_is_declared(toy_settings):
    values = json.loads(declared(toy_settings).model_dump_json(exclude_unset=True))
    for serving in ({}, {"shadow": True, "enabled": False}):
        with pytest.raises(ValidationError, match=r"gate.rules has shadowed.*write serving.shadow: true"):
            Pipeline.model_validate({**values, "serving": serving})
    Pipeline.model_validate({**values, "serving": {"canary": {"share": 0.1}}})
