"""growth: there is so many times as much past to learn from as at the last training decision."""

import pytest
from pydantic import ValidationError
from tests.support.triage_months import judge, month

from airloop.config.triggers import TriggerDeclaration
from airloop.watch.triggers.growth import Growth

GROWTH = [{"kind": "probe"}, {"kind": "growth", "factor": 1.5}]
JULY = month(7, gains=False)


@pytest.mark.parametrize(("growth", "kind"), [(1.0, "nothing"), (1.49, "nothing"), (1.5, "retrain"), (9.0, "retrain")])
def test_it_asks_from_exactly_so_many_times_the_past_on(growth, kind):
    assert judge(JULY, triggers=GROWTH, growth=growth).kind == kind


def test_its_training_has_a_reason_of_its_own_and_answers_one_look():
    action = judge(JULY, triggers=GROWTH, growth=2.0)
    assert (action.reason, action.reason_key) == ("growth", "growth:1:2013-08-01T00:00:00Z")
    assert action.why == (
        "the past to learn from has grown 2.00-fold since the last training decision, asked for from 1.5 on"
    )


def test_without_a_decision_it_says_so():
    assert judge(JULY, triggers=GROWTH[1:]).why == (
        "not enough data: no training decision says how much past there was to learn from"
    )


def test_a_factor_above_one_is_needed():
    with pytest.raises(ValidationError, match="trigger growth: factor"):
        TriggerDeclaration.model_validate({"kind": "growth", "factor": 1})
    assert TriggerDeclaration.model_validate(GROWTH[1]).build() == Growth(factor=1.5)
