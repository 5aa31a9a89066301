"""Triage: one row per edge of the policy; its stage remembers, and asks once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.support.run_plainly import run_plainly
from tests.support.triage_months import ENDS, POLICY, TWO_OF_THREE, evidence, judge, month

from airloop.config import load_pipeline
from airloop.deployment import Deployment
from airloop.records import Window
from airloop.settings import Settings
from airloop.stores import ledger, state
from airloop.watch.triage import inputs, triage


def of(policy=POLICY, **changes):
    return policy.model_copy(update=changes)


JULY = month(7)


@pytest.mark.parametrize(
    ("newest", "policy", "decided_days_ago", "kind", "says"),
    [
        (JULY, POLICY, None, "retrain", "a training would gain in 1 of the last 1 windows"),
        (month(7, gains=False), POLICY, None, "nothing", "no gain is sure"),
        (month(7, probe=(evidence(lower=0.0),)), POLICY, None, "nothing", "no gain is sure"),
        (month(7, probe=(evidence(lower=0.0016),)), of(margin_share=0.01), None, "nothing", "asked for above 0.0016"),
        (month(7, probe=(evidence(lower=0.0017),)), of(margin_share=0.01), None, "retrain", "above 0.0016"),
        (month(7, origin="backfill"), POLICY, None, "nothing", "evidence of a backfill triggers no training"),
        (month(7, origin="backfill", probe=()), POLICY, None, "nothing", "evidence of a backfill"),
        (month(7, labelled_rows=1999), POLICY, None, "not_enough_data", "1999 labelled rows, at least 2000 are needed"),
        (month(7, labelled_rows=2000), POLICY, None, "retrain", "would gain"),
        (month(7, probe=()), POLICY, None, "not_enough_data", "there was no probe"),
        (month(7, probe=(evidence(metric="roc_auc"),)), POLICY, None, "not_enough_data", "not measured in Brier"),
        (month(7, probe=(evidence(confidence=0.5),)), POLICY, None, "not_enough_data", "at confidence 0.9"),
        (month(7, probe=(evidence(lower=None),)), POLICY, None, "not_enough_data", "missing or not a number"),
        (month(7, probe=(evidence(gain=float("nan")),)), POLICY, None, "not_enough_data", "missing or not a number"),
        (month(7, probe=(evidence(rows=1999),)), POLICY, None, "not_enough_data", "compared on 1999 rows"),
        (month(7, probe=(evidence(blocks=13),)), POLICY, None, "not_enough_data", "13 calendar days"),
        (month(7, probe=(evidence(blocks=14),)), POLICY, None, "retrain", "would gain"),
        (JULY, of(cool_down_days=30), 29.9, "cooling_down", "the last decision was 29.9 days before, 30 must pass"),
        (JULY, of(cool_down_days=30), 30, "retrain", "would gain"),
        (JULY, of(cool_down_days=30), None, "retrain", "would gain"),
        (JULY, POLICY, 0, "retrain", "would gain"),
        (month(7, probe=()), of(cool_down_days=30), 1, "not_enough_data", "there was no probe"),
        (month(7, gains=False), of(cool_down_days=30), 1, "cooling_down", "cooling down"),
    ],
)
def test_each_edge_of_one_window_has_its_outcome(newest, policy, decided_days_ago, kind, says):
    decided = None if decided_days_ago is None else newest.window.end - timedelta(days=decided_days_ago)
    action = judge(newest, [], policy, last_decision_at=decided)
    assert (action.kind, says in action.why) == (kind, True), action.why
    assert action.cutoff == newest.window.end


@pytest.mark.parametrize(
    ("history", "policy", "kind"),
    [
        ([month(5), month(6, gains=False)], TWO_OF_THREE, "retrain"),
        ([month(6), month(5, gains=False)], TWO_OF_THREE, "retrain"),
        ([month(5, gains=False), month(6, gains=False)], TWO_OF_THREE, "nothing"),
        ([], TWO_OF_THREE, "nothing"),
        ([month(4), month(5, gains=False), month(6, gains=False)], TWO_OF_THREE, "nothing"),
        ([JULY, JULY], TWO_OF_THREE, "nothing"),
        ([month(6), month(6, gains=False)], TWO_OF_THREE, "nothing"),
        ([month(6, gains=False), month(6)], TWO_OF_THREE, "retrain"),
        ([month(6, version=2)], TWO_OF_THREE, "nothing"),
        ([month(6, origin="backfill")], TWO_OF_THREE, "nothing"),
        ([month(6), month(6, gains=False, origin="backfill")], TWO_OF_THREE, "retrain"),
        ([month(8)], TWO_OF_THREE, "nothing"),
        ([month(6, window=Window(ENDS[4], ENDS[5] + timedelta(days=1)))], TWO_OF_THREE, "nothing"),
        ([month(6, probe=())], TWO_OF_THREE, "nothing"),
        ([month(4), month(5, probe=()), month(6, probe=())], TWO_OF_THREE, "nothing"),
        ([month(5), month(6, probe=())], TWO_OF_THREE, "retrain"),
        ([month(5, window=Window(ENDS[3], ENDS[5] - timedelta(days=1))), month(6)], of(k=3, n=3), "nothing"),
        ([month(5), month(6)], of(k=3, n=3), "retrain"),
    ],
)
def test_a_gain_has_to_show_in_k_of_the_last_n_windows_of_this_champion(history, policy, kind):
    assert judge(JULY, history, policy).kind == kind


def test_a_look_that_takes_the_champion_back_asks_for_no_training():
    lost = {"takes_back": "a loss: -0.0040 [-0.0070, -0.0010] in Brier on the first rows after it"}
    action = judge(JULY, [], POLICY, **lost)
    assert (action.kind, action.reason_key) == ("take_back", "")
    assert action.why == f"probation takes version 1 back: {lost['takes_back']}"
    cooling = judge(JULY, [], of(cool_down_days=30), last_decision_at=JULY.window.end - timedelta(days=1), **lost)
    assert cooling.kind == "take_back"
    assert judge(month(7, origin="backfill"), [], POLICY, **lost).kind == "nothing"


def test_the_newest_window_must_show_the_gain_itself():
    history = [month(5), month(6)]
    assert judge(month(7, gains=False), history, TWO_OF_THREE).kind == "nothing"
    assert judge(JULY, history, TWO_OF_THREE).kind == "retrain"


def test_a_training_is_asked_for_with_its_reason_cutoff_and_all_its_evidence():
    action = judge(JULY, [month(5), month(6)], TWO_OF_THREE)
    assert action.reason_key == "probe:1:2013-08-01T00:00:00Z"
    assert action.cutoff == datetime(2013, 8, 1, tzinfo=UTC)
    assert action.evidence == (evidence(), evidence(), evidence())
    assert judge(month(7, gains=False), [], POLICY).reason_key == ""


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path)


@pytest.fixture
def pipeline():
    declared = load_pipeline("flight_delays", Settings())
    policy = of(TWO_OF_THREE, cool_down_days=20)
    return declared.model_copy(update={"monitoring": declared.monitoring.model_copy(update={"policy": policy})})


def store(settings, record, key):
    state.save_record(
        settings, "flight_delays", "monitor", input_key=key, window=record.window, record=record.to_json()
    )


def decided(settings, effective_at, reason_key, **changes):
    payload = {"version": 2, "reason_key": reason_key, **changes}
    ledger.append(settings, "flight_delays", kind="decision", effective_at=effective_at, payload=payload)


def test_stage_reads_the_stored_history_and_records_the_outcome(settings, pipeline):
    store(settings, month(6), "a")
    store(settings, JULY, "b")
    action = run_plainly(triage, Deployment(pipeline, settings), JULY.window, monitored=JULY)
    entry = ledger.entries(settings, "flight_delays")[0]
    assert (action.kind, action.sequence) == ("retrain", 1)
    assert (entry.kind, entry.effective_at, entry.payload["kind"]) == ("triage", JULY.window.end, "retrain")
    assert run_plainly(triage, Deployment(pipeline, settings), JULY.window, monitored=JULY) == action
    assert ledger.head(settings, "flight_delays") == 1


def test_doing_nothing_is_recorded_per_window(settings, pipeline):
    for record in (month(6, gains=False), month(7, gains=False)):
        run_plainly(triage, Deployment(pipeline, settings), record.window, monitored=record)
    assert [entry.payload["kind"] for entry in ledger.entries(settings, "flight_delays")] == ["nothing", "nothing"]
    assert ledger.entries(settings, "flight_delays")[-1].payload["judged"] == month(7).window.to_json()


def test_stage_cools_down_after_a_decision_in_data_time(settings, pipeline):
    store(settings, month(6), "a")
    decided(settings, JULY.window.end - timedelta(days=19), "hand:1")
    assert run_plainly(triage, Deployment(pipeline, settings), JULY.window, monitored=JULY).kind == "cooling_down"


@pytest.mark.parametrize(
    ("effective_at", "reason_key"),
    [
        (JULY.window.end - timedelta(days=20), "hand:1"),
        (JULY.window.end + timedelta(days=1), "hand:1"),
        (JULY.window.end, "probe:1:2013-08-01T00:00:00Z"),
    ],
)
def test_an_old_a_future_and_its_own_decision_do_not_cool_a_window_down(settings, pipeline, effective_at, reason_key):
    store(settings, month(6), "a")
    decided(settings, effective_at, reason_key)
    assert run_plainly(triage, Deployment(pipeline, settings), JULY.window, monitored=JULY).kind == "retrain"


def test_the_next_window_asks_again_when_an_obstacle_refused_the_candidate_and_not_the_model(settings, pipeline):
    store(settings, month(6), "a")
    decided(settings, JULY.window.end - timedelta(days=19), "probe:1:2013-07-13T00:00:00Z", outside_model=True)
    assert run_plainly(triage, Deployment(pipeline, settings), JULY.window, monitored=JULY).kind == "retrain"
    decided(settings, JULY.window.end - timedelta(days=18), "probe:1:2013-07-14T00:00:00Z", outside_model=False)
    assert run_plainly(triage, Deployment(pipeline, settings), JULY.window, monitored=JULY).kind == "cooling_down"


def test_input_changes_with_the_windows_before_and_with_a_decision_only(settings, pipeline):
    alone = inputs(Deployment(pipeline, settings), JULY.window, monitored=JULY)
    store(settings, JULY, "a")
    store(settings, month(8), "b")
    assert inputs(Deployment(pipeline, settings), JULY.window, monitored=JULY) == alone
    store(settings, month(6), "c")
    with_june = inputs(Deployment(pipeline, settings), JULY.window, monitored=JULY)
    assert with_june != alone
    decided(settings, JULY.window.end, "hand:1")
    assert inputs(Deployment(pipeline, settings), JULY.window, monitored=JULY) != with_june
    assert (
        run_plainly(
            triage, Deployment(pipeline, settings), JULY.window, monitored=replace(JULY, origin="backfill")
        ).kind
        == "nothing"
    )
