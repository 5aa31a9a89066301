"""age: a champion is too old by the data time since its training's cutoff."""

from datetime import timedelta

import pytest
from pydantic import ValidationError
from tests.support.triage_months import POLICY, judge, month

from airloop.config.triggers import TriggerDeclaration
from airloop.watch.triggers.age import Age

JULY = month(7, gains=False)
AGE = [{"kind": "probe"}, {"kind": "age", "days": 90}]


def after(days, policy=POLICY, **known):
    return judge(JULY, policy=policy, triggers=AGE, trained_until=JULY.window.end - timedelta(days=days), **known)


@pytest.mark.parametrize(("days", "kind"), [(89.9, "nothing"), (90, "retrain"), (400, "retrain")])
def test_it_asks_from_exactly_so_many_days_on(days, kind):
    assert after(days).kind == kind


def test_its_training_is_one_of_the_schedule_and_answers_one_look():
    action = after(90)
    assert (action.reason, action.reason_key) == ("schedule", "schedule:1:2013-08-01T00:00:00Z")
    assert action.why == "the champion's training ended 90.0 days before, asked for from 90 on"


def test_without_a_decision_about_the_champion_it_says_so():
    assert judge(JULY, triggers=AGE[1:]).why == (
        "not enough data: no decision says up to when the champion has learned"
    )


def test_a_cool_down_stops_it():
    cooling = POLICY.model_copy(update={"cool_down_days": 30})
    assert after(90, cooling, last_decision_at=JULY.window.end - timedelta(days=10)).kind == "cooling_down"


def test_days_are_needed():
    with pytest.raises(ValidationError, match="trigger age: days: required key is missing"):
        TriggerDeclaration(kind="age")
    assert TriggerDeclaration.model_validate(AGE[1]).build() == Age(days=90)
