"""What a promotion gained is measured on the first rows the champion scored live, and stands beside the promise."""

from dataclasses import replace

import pytest
from tests.support import ledger_entries, toy
from tests.support.monitor_stand import VERSION, WINDOW
from tests.support.run_plainly import run_plainly

from airloop.deployment import Deployment
from airloop.errors import GuardRefused
from airloop.models import model_version
from airloop.records import Evidence, Monitored, run_context
from airloop.stores import ledger
from airloop.watch import after_promotion, monitor, triage

PREVIOUS = VERSION - 1
PROMISE = Evidence("brier", 0.02, 0.001, 0.04, 0.95, 0.16, 0.14, 900, 20, 200, 7)


@pytest.fixture
def promoted(make):
    """Version 3 came into force in place of version 2 where the window starts."""
    stand = make()
    ledger_entries.put_in_force(stand.settings, "toy", PREVIOUS, toy.days(0, 20).end)
    at = WINDOW.start
    number = ledger_entries.decided(stand.settings, "toy", VERSION, at=at, champion=PREVIOUS, evidence=(PROMISE,))
    given = {"at": at, "previous": PREVIOUS}
    ledger_entries.begin(stand.settings, "toy", VERSION, number, **given)
    ledger_entries.act(stand.settings, "toy", "done", VERSION, number, **given)
    return stand


def score(stand, window, certainty):
    """Live predictions that lean by so much to what came; 0 says nothing."""
    rows = stand.feature_frame(stand.pipeline, window, stand.settings)
    stand.append(rows, list(0.5 + certainty * (rows["label"] - 0.5)))


def triaged(stand, found):
    with run_context.working_as("triage"):
        return run_plainly(triage.triage, Deployment(stand.pipeline, stand.settings), found.window, monitored=found)


def on_record(stand, found):
    triaged(stand, found)
    return ledger.entries(stand.settings, "toy", kind="measured")


@pytest.mark.parametrize(("certainty", "verdict"), [(0.8, "kept"), (0.0, "a loss")])
def test_the_new_champion_is_compared_with_the_one_it_replaced_on_rows_that_both_predicted(
    promoted, certainty, verdict
):
    score(promoted, toy.days(30, 50), certainty)
    found = promoted.monitor()
    after = found.after_promotion
    assert (after.version, after.previous, after.why_not) == (VERSION, PREVIOUS, "")
    assert {item.metric for item in after.evidence} == {"brier", "roc_auc"}
    assert after.evidence[0].rows == found.labelled_rows
    assert Monitored.from_json(found.to_json()) == found
    (entry,) = on_record(promoted, found)
    assert (entry.payload["verdict"], entry.effective_at) == (verdict, WINDOW.end)
    assert Evidence.from_json(entry.payload["promised"]) == PROMISE
    assert "the gate had measured +0.0200 [+0.0010, +0.0400]" in entry.payload["why"]


@pytest.mark.parametrize(
    ("probation", "certainty", "kind"),
    [("roll_back", 0.0, "take_back"), ("roll_back", 0.8, None), (None, 0.0, None)],
)
def test_probation_takes_back_what_surely_lost_where_it_is_declared(promoted, probation, certainty, kind):
    score(promoted, toy.days(30, 50), certainty)
    gate = promoted.pipeline.gate.model_copy(update={"probation": probation})
    stand = replace(promoted, pipeline=promoted.pipeline.model_copy(update={"gate": gate}))
    action = triaged(stand, stand.monitor())
    assert (action.kind == "take_back") == (kind is not None)
    if kind:
        assert "a loss: -0." in action.why
        assert "the gate had measured +0.0200 [+0.0010, +0.0400]" in action.why


def test_an_equal_champion_gains_nothing_that_is_sure(promoted):
    promoted.score(toy.days(30, 50))
    (entry,) = on_record(promoted, promoted.monitor())
    assert entry.payload["verdict"] == "less than promised"


def test_the_same_look_again_adds_no_entry_and_the_next_look_measures_nothing(promoted):
    score(promoted, toy.days(30, 52), 0.8)
    found = promoted.monitor()
    assert len(on_record(promoted, found)) == len(on_record(promoted, promoted.monitor())) == 1
    assert promoted.monitor(toy.days(50, 51)).after_promotion is None


def test_too_few_rows_wait_for_a_later_look(promoted):
    score(promoted, toy.days(30, 52), 0.8)
    first = promoted.monitor(toy.days(30, 31))
    assert first.after_promotion is None
    assert on_record(promoted, first) == ()
    assert promoted.monitor().after_promotion is not None


def test_a_backfill_and_a_first_champion_measure_nothing(promoted, make):
    score(promoted, toy.days(30, 50), 0.8)
    assert promoted.monitor(origin="backfill").after_promotion is None
    assert after_promotion.due(promoted.pipeline, toy.days(20, 30), promoted.settings, origin="live") is None


def test_a_version_before_that_does_not_load_says_so(promoted, monkeypatch):
    score(promoted, toy.days(30, 50), 0.8)
    load = model_version.load_version

    def gone(pipeline, version, settings):
        if version == PREVIOUS:
            raise GuardRefused("the files of version 2 are gone")
        return load(pipeline, version, settings)

    monkeypatch.setattr(model_version, "load_version", gone)
    (entry,) = on_record(promoted, promoted.monitor())
    assert entry.payload["why"] == "not measured: the files of version 2 are gone"


def test_whether_a_look_measures_is_part_of_its_input(promoted):
    score(promoted, toy.days(30, 50), 0.8)
    at = Deployment(promoted.pipeline, promoted.settings)
    before = monitor.inputs(at, WINDOW)
    assert before.promotion == ledger.history(promoted.settings, "toy").in_force()
    on_record(promoted, replace(promoted.monitor(), window=WINDOW))
    assert monitor.inputs(at, WINDOW).promotion == before.promotion
    assert monitor.inputs(at, toy.days(50, 51)).promotion is None
