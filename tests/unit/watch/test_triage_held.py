"""Triage and alarms: one test per row of its table, and the way out of every hold."""

from dataclasses import replace

import pytest
from tests.support.run_plainly import run_plainly
from tests.support.triage_months import POLICY, TWO_OF_THREE, evidence, judge, month

from airloop.config import load_pipeline
from airloop.deployment import Deployment
from airloop.records import Alarm
from airloop.settings import Settings
from airloop.stores import alarms, ledger, state
from airloop.stores.alarms import RaisedAlarm
from airloop.watch.triage import inputs, triage

NAME = "flight_delays"
FIGURES = Alarm("performance", "roc_auc", "ROC-AUC is .64", holds_training=False)
DATA = Alarm("labels_missing", "label", "half of the labels are missing")
JULY = month(7)
AFTER_FIGURES = [month(5), month(6, alarms=(FIGURES,))]
AFTER_DATA = [month(5), month(6, alarms=(DATA,))]


def raised(alarm: Alarm, *, stage: str = "monitor", answer: str = "") -> RaisedAlarm:
    return RaisedAlarm("0123456789", stage, JULY.window, alarm, answer)


@pytest.mark.parametrize(
    ("now", "kind"),
    [
        ([raised(FIGURES)], "take_back"),
        ([raised(DATA)], "held"),
        ([raised(FIGURES), raised(DATA)], "held"),
        ([raised(DATA, answer="excluded")], "nothing"),
    ],
)
def test_a_loss_on_rows_that_may_be_wrong_takes_nothing_back_but_one_that_shows_in_the_figures_does(now, kind):
    assert judge(JULY, [month(6)], POLICY, open_alarms=tuple(now), takes_back="a loss").kind == kind


@pytest.mark.parametrize(
    ("now", "gains", "before", "kind", "says"),
    [
        ([], True, [month(6)], "retrain", "a training would gain"),
        ([], True, AFTER_FIGURES, "retrain", "a training would gain"),
        ([], True, AFTER_DATA, "retrain", "a training would gain"),
        ([], False, [month(6)], "nothing", "no gain is sure"),
        ([raised(DATA)], True, [month(6)], "held", "mend the files, or answer it by `airloop alarms answer`"),
        ([raised(DATA)], True, AFTER_FIGURES, "held", "mend the files"),
        ([raised(DATA)], False, AFTER_DATA, "held", "held by alarm 0123456789 (labels_missing of label)"),
        ([raised(FIGURES), raised(DATA)], True, AFTER_FIGURES, "held", "(labels_missing of label) (and 1 more)"),
        ([raised(FIGURES, stage="ingest")], True, AFTER_FIGURES, "held", "mend the files"),
        ([raised(DATA, answer=alarms.EXCLUDED)], True, [month(6)], "nothing", "the window's rows are excluded"),
        ([raised(FIGURES)], True, [month(6)], "held", "the next window decides, or answer it"),
        ([raised(FIGURES)], True, [], "held", "the next window decides"),
        ([raised(FIGURES)], True, AFTER_FIGURES, "retrain", "a training would gain"),
        ([raised(FIGURES)], False, AFTER_FIGURES, "held", "a training would not mend it"),
        ([raised(FIGURES)], True, AFTER_DATA, "held", "the next window decides"),
        ([raised(FIGURES)], True, [month(6, version=2, alarms=(FIGURES,))], "held", "the next window decides"),
    ],
)
def test_each_row_of_the_table_has_its_outcome(now, gains, before, kind, says):
    action = judge(month(7, gains=gains), before, POLICY, open_alarms=tuple(now))
    assert (action.kind, says in action.why) == (kind, True), action.why
    assert bool(action.reason_key) == (kind == "retrain")


def test_a_window_with_an_alarm_shows_no_gain_to_a_later_one_unless_the_figures_stay_bad():
    def kind(before, now=()):
        return judge(JULY, before, TWO_OF_THREE, open_alarms=tuple(now)).kind

    assert kind([month(6)]) == "retrain"
    assert kind([month(6, alarms=(DATA,))]) == "nothing"
    assert kind([month(6, alarms=(FIGURES,))]) == "nothing"
    assert kind([month(6, alarms=(FIGURES,))], [raised(FIGURES)]) == "retrain"
    assert kind([month(5), month(6, alarms=(DATA,))]) == "retrain"


def test_backfilled_evidence_stays_without_consequence():
    record = month(7, origin="backfill")
    action = judge(record, [], POLICY, open_alarms=(raised(DATA),))
    assert (action.kind, "backfill" in action.why) == ("nothing", True)


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path)


@pytest.fixture
def pipeline():
    declared = load_pipeline(NAME, Settings())
    return declared.model_copy(update={"monitoring": declared.monitoring.model_copy(update={"policy": POLICY})})


def monitored(settings, pipeline, record):
    """Store a record as run_stage does."""
    alarms.announce(pipeline, "monitor", record.window, record.alarms, settings)
    key = f"{record.window}{record.alarms}"
    state.save_record(settings, NAME, "monitor", input_key=key, window=record.window, record=record.to_json())
    return record


def outcome(settings, pipeline, record):
    return run_plainly(
        triage, Deployment(pipeline, settings), record.window, monitored=monitored(settings, pipeline, record)
    )


def test_a_hold_lasts_until_a_person_accepts_the_window(settings, pipeline):
    record = month(7, alarms=(DATA,))
    held = outcome(settings, pipeline, record)
    assert (held.kind, held.reason_key) == ("held", "")
    reads = inputs(Deployment(pipeline, settings), record.window, monitored=record)
    key = alarms.alarm_id(NAME, record.window, DATA)
    alarms.answer(settings, pipeline, key, word="accepted", why="the airport was closed", who="test")
    assert inputs(Deployment(pipeline, settings), record.window, monitored=record) != reads
    assert run_plainly(triage, Deployment(pipeline, settings), record.window, monitored=record).kind == "retrain"
    kinds = [entry.payload["kind"] for entry in ledger.entries(settings, NAME, kind="triage")]
    assert kinds == ["held", "retrain"]


def test_an_excluded_window_asks_for_nothing_and_counts_for_nothing_later(settings, pipeline):
    record = month(6, alarms=(DATA,))
    outcome(settings, pipeline, record)
    key = alarms.alarm_id(NAME, record.window, DATA)
    alarms.answer(settings, pipeline, key, word="excluded", why="the feed was broken", who="test")
    assert run_plainly(triage, Deployment(pipeline, settings), record.window, monitored=record).kind == "nothing"
    assert outcome(settings, pipeline, JULY).kind == "retrain"
    policy = pipeline.monitoring.model_copy(update={"policy": TWO_OF_THREE})
    assert outcome(settings, pipeline.model_copy(update={"monitoring": policy}), JULY).kind == "nothing"


def test_a_hold_ends_when_the_window_is_monitored_again_without_the_alarm(settings, pipeline):
    assert outcome(settings, pipeline, month(7, alarms=(DATA,))).kind == "held"
    assert outcome(settings, pipeline, JULY).kind == "retrain"


def test_a_world_that_has_changed_is_held_for_one_window_and_then_trained_on(settings, pipeline):
    june, july = (month(number, alarms=(FIGURES,)) for number in (6, 7))
    assert outcome(settings, pipeline, june).kind == "held"
    action = outcome(settings, pipeline, july)
    assert (action.kind, action.evidence) == ("retrain", (evidence(),))


def test_a_single_bad_window_is_forgotten_by_the_next(settings, pipeline):
    assert outcome(settings, pipeline, month(6, alarms=(FIGURES,))).kind == "held"
    assert outcome(settings, pipeline, replace(JULY, probe=(evidence(lower=-0.1),))).kind == "nothing"
