"""What a refit has to show: valid predictions that are not all alike, near to those of the judged version."""

from pathlib import Path

import numpy as np
import pytest
from tests.support import toy

from airloop.models.refit_checks import agreement
from airloop.problems import task_of

JUDGED = np.linspace(0.1, 0.9, 200)


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    settings = toy.write_project(tmp_path_factory.mktemp("refit"), Path(__file__).parents[3])
    return task_of(toy.toy_pipeline(settings))


def test_a_refit_near_to_the_judged_version_agrees(task):
    found = agreement(task, JUDGED, np.clip(JUDGED + 0.02, 0, 1), max_difference=0.75)
    assert found.problem == ""
    assert found.difference == pytest.approx(0.02 / JUDGED.std())
    assert found.spread == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("refitted", "says"),
    [
        (JUDGED[::-1], "differs from the judged version by 1.7"),
        (np.full(200, 0.5), "it says nearly the same of every row"),
        (np.where(JUDGED > 0.5, np.nan, JUDGED), "100 of 200"),
        (JUDGED * 2, "of 200"),
    ],
    ids=["turned", "constant", "not_a_number", "out_of_range"],
)
def test_a_refit_that_lost_what_was_judged_does_not_agree(task, refitted, says):
    assert says in agreement(task, JUDGED, refitted, max_difference=0.75).problem


def test_the_bound_is_inclusive(task):
    again = np.clip(JUDGED + 0.05, 0, 1)
    exact = agreement(task, JUDGED, again, max_difference=10).difference
    assert agreement(task, JUDGED, again, max_difference=exact).problem == ""
    assert agreement(task, JUDGED, again, max_difference=exact * 0.999).problem


def test_a_judged_version_that_says_one_thing_leaves_only_an_equal_refit(task):
    same = np.full(50, 0.3)
    assert agreement(task, same, same, max_difference=1).problem == ""
    assert "the same for every row" in agreement(task, same, same + 0.1, max_difference=1).problem
