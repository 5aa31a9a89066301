"""performance: a live metric is surely beyond its bound, k of n times."""

import pytest
from pydantic import ValidationError
from tests.support.triage_months import judge, month

from airloop.config.triggers import TriggerDeclaration
from airloop.records import Alarm
from airloop.stores.alarms import RaisedAlarm

BRIER = {"kind": "performance", "metric": "brier", "at_most": 0.2}
AUC = {"kind": "performance", "metric": "roc_auc", "at_least": 0.7}
FIGURES = Alarm("performance", "brier", "Brier is .25", holds_training=False)


def live(lower, upper, metric="brier"):
    return {metric: 0.2, f"{metric}_lower": lower, f"{metric}_upper": upper}


def look(number, lower, upper, metric="brier", **changes):
    return month(number, gains=False, live=live(lower, upper, metric), **changes)


@pytest.mark.parametrize(
    ("trigger", "newest", "kind", "says"),
    [
        (BRIER, look(7, 0.201, 0.25), "retrain", "Brier in [0.2010, 0.2500], asked for surely above 0.2"),
        (BRIER, look(7, 0.2, 0.25), "nothing", "asked for surely above 0.2"),
        (AUC, look(7, 0.6, 0.699, "roc_auc"), "retrain", "ROC-AUC in [0.6000, 0.6990], asked for surely below 0.7"),
        (AUC, look(7, 0.6, 0.7, "roc_auc"), "nothing", "asked for surely below 0.7"),
        (
            BRIER,
            look(7, 0.3, 0.4, labelled_rows=1999),
            "not_enough_data",
            "1999 labelled rows, at least 2000 are needed",
        ),
        (BRIER, month(7, gains=False, live={}), "not_enough_data", "Brier is missing or not a number"),
        (BRIER, look(7, float("nan"), 0.4), "not_enough_data", "missing or not a number"),
    ],
)
def test_it_asks_when_the_whole_interval_is_beyond_the_bound(trigger, newest, kind, says):
    action = judge(newest, triggers=[trigger])
    assert (action.kind, says in action.why) == (kind, True), action.why


def test_k_of_the_last_n_looks_have_to_be_beyond_and_a_doubtful_one_is_not():
    twice = {**BRIER, "k": 2, "n": 2}
    bad = look(6, 0.3, 0.4)
    assert judge(look(7, 0.3, 0.4), [bad], triggers=[twice]).kind == "retrain"
    assert judge(look(7, 0.3, 0.4), [look(6, 0.1, 0.4)], triggers=[twice]).kind == "nothing"
    doubtful = look(6, 0.3, 0.4, alarms=(Alarm("labels_missing", "label", "half are missing"),))
    assert judge(look(7, 0.3, 0.4), [doubtful], triggers=[twice]).kind == "nothing"


def test_figures_that_stay_bad_are_trained_on_after_a_second_look():
    open_alarms = (RaisedAlarm("0123456789", "monitor", month(7).window, FIGURES),)
    newest = look(7, 0.3, 0.4)
    assert judge(newest, triggers=[BRIER], open_alarms=open_alarms).kind == "held"
    before = [look(6, 0.3, 0.4, alarms=(FIGURES,))]
    assert judge(newest, before, triggers=[BRIER], open_alarms=open_alarms).kind == "retrain"
    assert judge(newest, before, open_alarms=open_alarms).kind == "held"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"at_least": 0.1}, "give exactly one of at_least, at_most"),
        ({"at_most": None, "at_least": 0.1}, "of brier write at_most: beyond the other bound the champion is good"),
        ({"k": 2}, "k=2 of n=1 windows can never happen"),
        ({"metric": "brierr"}, "there is no metric 'brierr'; did you mean 'brier'"),
    ],
)
def test_what_would_ask_for_nonsense_is_refused(changes, says):
    with pytest.raises(ValidationError) as refused:
        TriggerDeclaration.model_validate({**BRIER, **changes})
    assert says in str(refused.value)
