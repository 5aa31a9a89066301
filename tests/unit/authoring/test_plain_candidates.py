"""What is called a plain candidate is one that scikit-learn takes; the list is the installed version's."""

from typing import Any

import pytest
from sklearn.base import is_classifier, is_regressor
from tests.support import estimator_list

from airloop.authoring import plain_candidates
from airloop.authoring.plain_candidates import is_plain
from airloop.config import Candidate
from airloop.config.attribute import resolve

BOOSTING = "sklearn.ensemble:HistGradientBoostingClassifier"
VALUES: tuple[Any, ...] = (0, 1, -1, 3, 0.0, 0.5, 1.0, 1.5, -0.5, True, None, "log_loss", "sqrt", "nonsense", [1], 1e9)


def candidate(path: str, /, **params: Any) -> Candidate:
    return Candidate(estimator=path, encoder="ordinal", params=params)


def test_the_list_is_that_of_the_installed_version() -> None:
    assert estimator_list.PATH.read_text(encoding="utf-8") == estimator_list.content()


@pytest.mark.parametrize("path", sorted(plain_candidates._estimators()))
def test_what_is_called_plain_scikit_learn_takes(path: str) -> None:
    task = "binary" if is_plain("binary", candidate(path)) else "regression"
    made = resolve(path)()
    assert is_plain(task, candidate(path))
    assert (is_classifier(made) and hasattr(made, "predict_proba")) if task == "binary" else is_regressor(made)
    for name in made.get_params():
        for value in VALUES:
            if is_plain(task, candidate(path, **{name: value})):
                resolve(path)(**{name: value})._validate_params()


@pytest.mark.parametrize(
    ("task", "declared"),
    [
        ("regression", candidate(BOOSTING)),
        ("binary", candidate("sklearn.linear_model:Ridge")),
        ("binary", candidate("sklearn.svm:SVC")),
        ("binary", candidate(BOOSTING, max_iter=-5)),
        ("binary", candidate(BOOSTING, max_itr=5)),
        ("binary", candidate(BOOSTING, max_iter="5")),
        ("binary", candidate(BOOSTING).model_copy(update={"search": {"max_leaf_nodes": (1, 8)}})),
    ],
)
def test_what_is_not_plainly_right_is_left_to_scikit_learn(task: Any, declared: Candidate) -> None:
    assert not is_plain(task, declared)


def test_another_version_of_scikit_learn_is_asked_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_candidates, "version", lambda _name: "0.0")
    plain_candidates._estimators.cache_clear()
    try:
        assert not is_plain("binary", candidate(BOOSTING))
    finally:
        plain_candidates._estimators.cache_clear()
