"""The threshold of decisions: by cost, on the folds, never by the luck of one of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.support import toy

from airloop.config import Candidate, Pipeline
from airloop.config.gate_rules import RuleDeclaration
from airloop.models import decision_threshold, threshold_choice, vote
from airloop.models.bootstrap import Bootstrap
from airloop.models.partners import KEY as VOTE
from airloop.models.self_training import of_estimator
from airloop.models.threshold_choice import ChosenThreshold
from airloop.problems import Floats
from airloop.records import TunedCandidate
from airloop.settings import Settings

RULE = {"kind": "cost", "false_positive": 1, "false_negative": 4}
COSTS = RuleDeclaration.model_validate(RULE).build()
CALIBRATED = 0.2


def fold(seed: int, *, rows: int = 2000, too_high: float = 1.0) -> tuple[Floats, Floats]:
    """Labels by their true chance, and what is said: the chance, or too high or too low a power of it."""
    draw = np.random.default_rng(seed)
    chance = draw.uniform(size=rows) ** 2
    return (draw.uniform(size=rows) < chance).astype(np.float64), chance**too_high


def chosen(count: int = 4, **options: Any) -> ChosenThreshold:
    labels, predicted = zip(*(fold(seed, **options) for seed in range(count)), strict=True)
    return of_folds(labels, predicted)


def of_folds(labels: Sequence[Floats], predicted: Sequence[Floats], *, days: int = 28) -> ChosenThreshold:
    by_fold = [days * place + np.arange(len(fold)) % days for place, fold in enumerate(labels)]
    return threshold_choice.of_folds(labels, predicted, by_fold, COSTS, Bootstrap(0.95, 200, 1))


def test_calibrated_probabilities_keep_the_threshold_of_their_costs() -> None:
    found = chosen()
    assert found.threshold == found.calibrated == CALIBRATED
    assert found.cheapest == pytest.approx(CALIBRATED, abs=0.1)


@pytest.mark.parametrize("power", [0.4, 2.5], ids=["said too high", "said too low"])
def test_probabilities_that_are_off_get_the_threshold_that_is_cheapest(power: float) -> None:
    found = chosen(too_high=power)
    assert found.threshold == found.cheapest == pytest.approx(CALIBRATED**power, rel=0.6)
    assert np.mean(found.using) < np.mean(found.without)


def test_a_single_fold_few_rows_and_a_single_day_prove_nothing() -> None:
    assert chosen(2, rows=14, too_high=0.4).threshold == CALIBRATED
    folds = [fold(seed, too_high=0.4) for seed in range(2)]
    of_a_day = threshold_choice.of_folds(
        *zip(*folds, strict=True), [np.zeros(2000, dtype=np.int64)] * 2, COSTS, Bootstrap(0.95, 200, 1)
    )
    assert of_a_day.threshold == CALIBRATED
    assert chosen(1, too_high=0.4).threshold == CALIBRATED
    assert chosen(1, too_high=0.4).using == ()


def test_the_cheapest_threshold_costs_what_no_other_undercuts() -> None:
    labels, predicted = fold(3, rows=60)
    found = of_folds([labels], [predicted]).cheapest
    costs = [COSTS.of(labels, predicted, at).sum() for at in np.linspace(0, 1.01, 2000)]
    assert COSTS.of(labels, predicted, found).sum() == pytest.approx(min(costs))


@pytest.mark.parametrize(("label", "acts"), [(0.0, 0), (1.0, 1)])
def test_where_all_rows_are_alike_it_acts_on_none_or_on_all(label: float, acts: int) -> None:
    labels, predicted = np.full(50, label), np.linspace(0.3, 0.9, 50)
    found = of_folds([labels], [predicted]).cheapest
    assert {decision_threshold.class_of(value, found) for value in predicted} == {acts}


def declared(settings: Settings, *rules: dict[str, object]) -> Pipeline:
    pipeline = toy.toy_pipeline(settings)
    candidates = {
        name: Candidate(estimator="sklearn.linear_model:LogisticRegression", encoder="one_hot", params={"C": strength})
        for name, strength in (("one", 1.0), ("other", 0.01))
    }
    gate = pipeline.gate.model_copy(update={"rules": tuple(map(RuleDeclaration.model_validate, rules))})
    training = pipeline.training.model_copy(update={"candidates": candidates})
    return pipeline.model_copy(update={"gate": gate, "training": training})


def searched_rows(count: int = 900) -> pd.DataFrame:
    draw = np.random.default_rng(5)
    heat = draw.normal(size=count)
    times = pd.date_range("2020-01-01", periods=count, freq="2h", tz="UTC")
    labels = (draw.uniform(size=count) < 1 / (1 + np.exp(-heat))).astype(np.float64)
    return pd.DataFrame({"job": map(str, range(count)), "decision_time": times, "heat": heat, "label": labels})


def test_it_is_chosen_by_what_the_winner_says_and_the_same_again(toy_settings: Settings) -> None:
    pipeline, rows = declared(toy_settings, RULE), searched_rows()
    params = {VOTE: {"candidate": "other", "params": {}}}
    best = TunedCandidate("one", params, -0.2, 1, 0.0, "", (-0.2, -0.2))
    fitted = threshold_choice.chosen_threshold(pipeline, best, rows, {})
    assert fitted is not None
    known = rows.reset_index(drop=True)
    cut = threshold_choice.folds(pipeline, known)
    kept = {name: vote.fold_answers_of(pipeline, name, {}, cut) for name in ("one", "other")}
    assert threshold_choice.chosen_threshold(pipeline, best, rows, kept) == fitted
    trained = threshold_choice.with_threshold(best, fitted)
    assert decision_threshold.threshold_of(trained.params) == fitted.threshold
    assert of_estimator(trained.params) == {}


def test_without_costs_and_for_other_tasks_there_is_none(toy_settings: Settings) -> None:
    best = TunedCandidate("one", {}, -0.2, 1, 0.0, "", (-0.2, -0.2))
    assert threshold_choice.chosen_threshold(declared(toy_settings), best, searched_rows(), {}) is None
    pipeline = declared(toy_settings, RULE)
    other = pipeline.prediction.model_copy(update={"task": "regression"})
    assert threshold_choice.declared_costs(pipeline.model_copy(update={"prediction": other})) is None
    assert decision_threshold.threshold_of({}) is None
    assert decision_threshold.of_files({}) is None
    assert decision_threshold.recorded({}) == {}
