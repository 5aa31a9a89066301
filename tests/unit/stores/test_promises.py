"""The gate's promises: which promotion is to be measured, and what is said of what came of it."""

from dataclasses import replace

import pytest
from tests.support import ledger_entries, toy

from airloop.records import Evidence
from airloop.settings import Settings
from airloop.stores import ledger
from airloop.stores.ledger import promises

PROMISE = Evidence("brier", 0.006, 0.002, 0.01, 0.95, 0.16, 0.154, 900, 20, 200, 7)
TEN, TWENTY, THIRTY = (toy.days(0, day).end for day in (10, 20, 30))


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path)


def measured(settings, promotion, at, verdict=promises.KEPT, version=2):
    payload = {"promotion": promotion.sequence, "version": version, "previous": 1, "verdict": verdict, "evidence": []}
    return ledger.append(settings, "toy", kind="measured", effective_at=at, payload=payload)


def due(settings, first, end):
    window = toy.days(first, end)
    return promises.to_be_measured(settings, "toy", ledger.history(settings, "toy"), window.start, window.end)


@pytest.mark.parametrize(
    ("promise", "bounds", "says"),
    [
        (PROMISE, (0.001, 0.009), "kept"),
        (PROMISE, (0.02, 0.03), "kept"),
        (PROMISE, (-0.001, 0.005), "not sure"),
        (PROMISE, (-0.003, 0.001), "less than promised"),
        (PROMISE, (0.0005, 0.0015), "less than promised"),
        (PROMISE, (-0.003, -0.001), "a loss"),
        (None, (0.001, 0.002), "kept"),
        (None, (-0.001, 0.002), "not sure"),
        (None, (-0.002, -0.001), "a loss"),
    ],
)
def test_a_promise_is_judged_by_where_both_intervals_lie(promise, bounds, says):
    found = replace(PROMISE, gain=sum(bounds) / 2, lower=bounds[0], upper=bounds[1])
    assert promises.verdict(promise, found) == says


def test_what_was_not_measured_says_why():
    assert promises.verdict(PROMISE, None) == "not measured"
    assert promises.in_words(PROMISE, None, why_not="its files are gone") == "not measured: its files are gone"
    assert promises.in_words(None, PROMISE).endswith("the gate had judged by floors only")


def test_the_promotion_in_force_is_measured_once_and_by_the_same_look_again(settings):
    ledger_entries.put_in_force(settings, "toy", 1, TEN)
    assert due(settings, 10, 20) is None  # the first champion replaced nobody
    promotion = ledger_entries.put_in_force(settings, "toy", 2, TWENTY, previous=1)
    assert due(settings, 10, 20) is None  # the window started before it
    assert due(settings, 20, 30) == promotion
    measured(settings, promotion, THIRTY)
    assert due(settings, 20, 30) == promotion
    assert due(settings, 30, 40) is None


def test_a_rollback_promises_nothing(settings):
    ledger_entries.put_in_force(settings, "toy", 1, TEN)
    ledger_entries.put_in_force(settings, "toy", 2, TWENTY, previous=1)
    payload = {"version": 1, "previous_version": 2, "request": "r", "why": "w", "who": "anna", "model_name": "toy"}
    begun = ledger.append(settings, "toy", kind="intended", effective_at=THIRTY, payload=payload)
    payload |= {"intended_sequence": begun.sequence}
    ledger.append(settings, "toy", kind="rolled_back", effective_at=THIRTY, payload=payload)
    assert due(settings, 30, 40) is None


def test_the_record_of_the_gate_counts_each_promotion_once_by_its_newest_measurement(settings):
    ledger_entries.put_in_force(settings, "toy", 1, TEN)
    second = ledger_entries.put_in_force(settings, "toy", 2, TWENTY, previous=1)
    third = ledger_entries.put_in_force(settings, "toy", 3, THIRTY, previous=2)
    assert promises.track_record(ledger.entries(settings, "toy")) == ""
    measured(settings, second, THIRTY, promises.LOST)
    says = "1 promotion measured on the first rows after: 1 a loss"
    assert promises.track_record(ledger.entries(settings, "toy")) == says
    measured(settings, second, THIRTY, promises.KEPT)  # the window was corrected
    measured(settings, third, toy.days(0, 40).end, promises.UNSURE, version=3)
    says = "2 promotions measured on the first rows after: 1 kept, 1 not sure"
    assert promises.track_record(ledger.entries(settings, "toy")) == says
