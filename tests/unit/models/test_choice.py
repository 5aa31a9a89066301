"""Which candidate is trained: the best on the folds, and the champion's family unless another is surely better."""

import pytest
from tests.support import toy

from airloop.models import choice
from airloop.models.choice import Incumbent, choose
from airloop.records import TunedCandidate


def tuned(candidate, *scores):
    return TunedCandidate(candidate, {}, sum(scores) / len(scores), 1, 0.0, "run", scores)


FOREST = tuned("forest", -0.160, -0.170, -0.150)


@pytest.mark.parametrize(
    ("boosting", "champion", "chosen"),
    [
        ((-0.150, -0.160, -0.140), None, "boosting"),
        ((-0.150, -0.160, -0.140), "boosting", "boosting"),
        ((-0.150, -0.160, -0.140), "forest", "boosting"),
        ((-0.140, -0.172, -0.150), "forest", "forest"),
        ((-0.140, -0.172, -0.150), None, "boosting"),
        ((-0.162, -0.168, -0.152), "boosting", "boosting"),
        ((-0.180, -0.190, -0.170), "boosting", "forest"),
        ((-0.150, -0.160, -0.140), "gone", "boosting"),
    ],
    ids=[
        "first_training",
        "best_is_the_champions",
        "surely_better",
        "better_by_less_than_an_error",
        "no_champion_to_prefer",
        "champions_within_an_error",
        "champions_surely_worse",
        "champions_family_is_gone",
    ],
)
def test_a_family_takes_over_only_when_it_is_better_by_more_than_one_standard_error(boosting, champion, chosen):
    incumbent = None if champion is None else Incumbent(champion)
    assert choose((FOREST, tuned("boosting", *boosting)), incumbent).candidate == chosen


def test_ties_go_to_the_one_declared_first():
    assert choose((FOREST, tuned("boosting", *FOREST.fold_scores)), None) is FOREST


def test_one_fold_has_no_error_and_the_best_is_taken():
    assert choose((tuned("forest", -0.16), tuned("boosting", -0.15)), Incumbent("forest")).candidate == "boosting"


def test_a_search_starts_from_the_champion_before_its_cutoff_and_never_from_its_own(toy_trained):
    pipeline = toy.toy_pipeline(toy_trained)
    assert choice.incumbent(pipeline, toy.days(0, 40), toy_trained) is None
    later = choice.incumbent(pipeline, toy.days(0, 41), toy_trained)
    assert later is not None
    assert later.candidate in pipeline.training.candidates
    assert later.params.keys() == pipeline.training.candidates[later.candidate].search.keys()
