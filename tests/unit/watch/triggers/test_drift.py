"""drift: enough features have drifted, k of n times."""

import pytest
from pydantic import ValidationError
from tests.support.triage_months import judge, month

from airloop.config.triggers import TriggerDeclaration


def asked(share, before=(), **keys):
    trigger = {"kind": "drift", "share": 0.5, **keys}
    earlier = [month(number, gains=False, drifted_share=value) for number, value in zip((6, 5), before, strict=False)]
    return judge(month(7, gains=False, drifted_share=share), earlier, triggers=[trigger])


@pytest.mark.parametrize(
    ("share", "kind"),
    [
        (0.49, "nothing"),
        (0.5, "retrain"),
        (1.0, "retrain"),
        (None, "not_enough_data"),
        (float("nan"), "not_enough_data"),
    ],
)
def test_it_asks_from_its_share_on(share, kind):
    assert asked(share).kind == kind


@pytest.mark.parametrize(
    ("share", "before", "kind"),
    [
        (0.6, (0.6, 0.1), "retrain"),
        (0.6, (0.1, 0.6), "retrain"),
        (0.6, (0.1, None), "nothing"),
        (0.1, (0.6, 0.6), "nothing"),
    ],
)
def test_the_newest_look_and_k_of_the_last_n_have_drifted(share, before, kind):
    assert asked(share, before, k=2, n=3).kind == kind


def test_its_training_has_a_reason_that_opens_no_milder_rule():
    action = asked(0.6)
    assert (action.reason, action.reason_key) == ("trigger", "trigger:drift:1:2013-08-01T00:00:00Z")
    assert action.why == "0.60 of the features drifted, asked for from 0.5 on, in 1 of the last 1 windows, 1 asked for"


def test_what_can_never_fire_is_refused():
    with pytest.raises(ValidationError, match="k=3 of n=2 windows can never happen"):
        TriggerDeclaration.model_validate({"kind": "drift", "share": 0.5, "k": 3, "n": 2})
