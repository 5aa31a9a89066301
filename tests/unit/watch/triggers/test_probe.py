"""probe: what is declared without triggers, and beside others; its edges are in test_triage."""

from datetime import timedelta

import pytest
from tests.support.triage_months import POLICY, TWO_OF_THREE, judge, month, watched

JULY = month(7)


@pytest.mark.parametrize("policy", [POLICY, TWO_OF_THREE])
@pytest.mark.parametrize("newest", [JULY, month(7, gains=False), month(7, probe=()), month(7, origin="backfill")])
@pytest.mark.parametrize("before", [(), (month(6),), (month(5), month(6, gains=False))])
def test_declared_it_decides_as_without_any_declaration(newest, policy, before):
    assert watched(policy).triggers is None
    assert judge(newest, before, policy, triggers=[{"kind": "probe"}]) == judge(newest, before, policy)


def test_its_reason_stays_unsaid_in_the_record_so_that_older_entries_are_equal():
    action = judge(JULY)
    assert (action.reason, action.reason_key) == ("", "probe:1:2013-08-01T00:00:00Z")


def test_of_several_triggers_the_first_that_fires_asks():
    age = {"kind": "age", "days": 30}
    old = {"trained_until": JULY.window.end - timedelta(days=31)}
    assert judge(JULY, triggers=[{"kind": "probe"}, age], **old).reason == ""
    assert judge(JULY, triggers=[age, {"kind": "probe"}], **old).reason == "schedule"
    quiet = judge(month(7, probe=()), triggers=[age, {"kind": "probe"}], trained_until=JULY.window.start)
    assert quiet.kind == "retrain"


def test_nobody_fires_and_each_says_why():
    action = judge(month(7, gains=False), triggers=[{"kind": "age", "days": 90}, {"kind": "probe"}])
    assert action.kind == "nothing"
    assert action.why.startswith("no decision says up to when the champion has learned; no gain is sure")
