"""Text columns: read by their words, inside the fit, saved by airloop's own list, served by the pipeline."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import issparse
from sklearn.ensemble import HistGradientBoostingClassifier
from skops.io import dumps
from tests.support import toy

from airloop.config import Candidate, Pipeline
from airloop.models import estimators, memory
from airloop.models.documents import COMPONENTS, FEWEST_DOCUMENTS, Documents
from airloop.models.forms.choose import chosen_form, plain_row
from airloop.models.forms.columns import Columns
from airloop.problems import task_of
from airloop.settings import Settings
from airloop.stores.mlflow import model_files

WORDS = ("broken", "screen", "cable", "late", "wrong", "colour", "size", "fine", "quick", "thanks")
FAMILIES = {
    "sklearn.linear_model:LogisticRegression": "one_hot",
    "sklearn.naive_bayes:GaussianNB": "one_hot",
    "sklearn.ensemble:HistGradientBoostingClassifier": "ordinal",
    "sklearn.ensemble:RandomForestClassifier": "target",
    "lightgbm:LGBMClassifier": "ordinal",
    "xgboost:XGBClassifier": "ordinal",
}


def remarks(rows: int = 400, seed: int = 1) -> pd.DataFrame:
    """A label that the word `broken` tells; every tenth text is missing."""
    draw = np.random.default_rng(seed)
    texts = [" ".join(draw.choice(WORDS, 5)) for _ in range(rows)]
    labels = [float("broken" in text) for text in texts]
    known = [None if number % 10 == 0 else f"{text} no{number}" for number, text in enumerate(texts)]
    shop = draw.choice(["a", "b"], rows)
    return pd.DataFrame({"remark": known, "shop": shop, "amount": draw.normal(size=rows), "label": labels})


def declared(settings: Settings, estimator: str, encoder: str, **training: object) -> Pipeline:
    pipeline = toy.toy_pipeline(settings)
    candidate = Candidate(estimator=estimator, encoder=encoder)
    changed = {"candidates": {"one": candidate}, "text": ("remark",), **training}
    return pipeline.model_copy(update={"training": pipeline.training.model_copy(update=changed)})


def fitted(pipeline: Pipeline, rows: pd.DataFrame, **params: object):
    return estimators.fitted_model(pipeline, "one", params, rows, ["remark", "shop", "amount"])


@pytest.mark.parametrize(("estimator", "encoder"), FAMILIES.items())
def test_every_family_learns_from_words_and_is_read_back_as_it_was(
    toy_settings: Settings, estimator: str, encoder: str
) -> None:
    pipeline, rows, others = declared(toy_settings, estimator, encoder), remarks(), remarks(seed=2)
    model = fitted(pipeline, rows)
    features = ["remark", "shop", "amount"]
    said = model.predict_proba(others[features])[:, 1]
    known = others["remark"].notna()
    right = (said[known] > 0.5) == (others["label"][known] == 1)
    assert right.mean() > 0.85
    assert estimators.trusted_types(model) is not None
    again = model_files.loaded(dumps(model))
    assert np.array_equal(again.predict_proba(others[features])[:, 1], said)
    assert np.array_equal(fitted(pipeline, rows).predict_proba(others[features])[:, 1], said)


@pytest.mark.parametrize("changed", [{"balance": "undersampling"}, {"calibration": "sigmoid"}])
def test_words_reach_an_estimator_that_is_balanced_or_corrected(toy_settings: Settings, changed) -> None:
    pipeline = declared(toy_settings, "sklearn.linear_model:LogisticRegression", "one_hot")
    params = {}
    if "balance" in changed:
        balance = pipeline.training.balance.model_copy(update={"by": changed["balance"]})
        pipeline = declared(toy_settings, "sklearn.linear_model:LogisticRegression", "one_hot", balance=balance)
    else:
        params = {"airloop_calibrated": changed["calibration"]}
    rows = remarks()
    model = fitted(pipeline, rows, **params)
    said = model.predict_proba(rows[["remark", "shop", "amount"]])[:, 1]
    known = rows["remark"].notna()
    assert ((said[known] > 0.5) == (rows["label"][known] == 1)).mean() > 0.9


def test_a_linear_model_sees_each_word_and_trees_a_few_dense_columns(toy_settings: Settings) -> None:
    rows = remarks()
    draw = np.random.default_rng(3)
    many = [f"word{number}" for number in range(60)]
    rows["remark"] = [" ".join(draw.choice(many, 8)) for _ in range(len(rows))]
    linear = fitted(declared(toy_settings, "sklearn.linear_model:LogisticRegression", "one_hot"), rows)
    trees = fitted(declared(toy_settings, "sklearn.ensemble:HistGradientBoostingClassifier", "ordinal"), rows)
    matrices = [model[0].transform(rows) for model in (linear, trees)]
    assert issparse(matrices[0])
    assert matrices[0].shape[1] == 2 + 1 + 60
    assert not issparse(matrices[1])
    assert matrices[1].shape[1] == 2 + COMPONENTS


@pytest.mark.parametrize("texts", [[None] * 50, [""] * 50, [f"once{number}" for number in range(50)]])
def test_a_column_without_words_to_learn_is_no_column(texts: list[str | None]) -> None:
    column = pd.Series(texts, dtype="object")
    assert Documents().fit(column).transform(column).shape == (50, 0)
    assert Documents(COMPONENTS).fit(column).transform(column).shape == (50, 0)


def test_words_are_learned_from_the_rows_of_the_fit_alone() -> None:
    known = pd.Series(["red apple"] * FEWEST_DOCUMENTS + ["green pear"] * FEWEST_DOCUMENTS)
    fitted_to = Documents().fit(known)
    assert set(fitted_to.vectorizer_.vocabulary_) == {"red", "apple", "green", "pear"}
    assert fitted_to.transform(pd.Series(["blue plum", None, "Red!"])).toarray().sum(axis=1).tolist() == [0, 0, 1]


@pytest.mark.parametrize(("estimator", "encoder"), [*FAMILIES.items()][:3:2])
def test_the_pipeline_serves_it_and_says_why(toy_settings: Settings, estimator: str, encoder: str) -> None:
    pipeline, rows = declared(toy_settings, estimator, encoder), remarks()
    model = fitted(pipeline, rows)
    features = ("remark", "shop", "amount")
    real = [plain_row(row) for row in rows[list(features)].head(60).to_dict(orient="records")]
    form = chosen_form(model, Columns(features, frozenset({"remark", "shop"}), frozenset()), task_of(pipeline), real)
    assert not form.fast
    assert "remark is a text column, read by its words" in form.why
    assert np.array_equal(form.predict(real), model.predict_proba(rows[list(features)].head(60))[:, 1])


def test_without_declaration_a_text_stays_a_category(toy_settings: Settings) -> None:
    pipeline = declared(toy_settings, "sklearn.ensemble:HistGradientBoostingClassifier", "ordinal", text=())
    model = fitted(pipeline, remarks())
    assert isinstance(model[-1], HistGradientBoostingClassifier)
    assert [name for name, _, _ in model[0].transformers_] == ["texts", "numbers"]


def test_the_memory_of_a_training_counts_the_components(toy_settings: Settings) -> None:
    estimator = ("sklearn.ensemble:HistGradientBoostingClassifier", "ordinal")
    plain, with_text = (declared(toy_settings, *estimator, text=text) for text in ((), ("remark",)))
    needed = [memory.needed_bytes(pipeline, rows=1000, columns=3) for pipeline in (plain, with_text)]
    assert needed[1] == needed[0] * (3 + COMPONENTS) / 3
