"""Fast forms: equal to the pipeline on missing, unseen and extreme values within 1e-12, or not used."""

import io
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from tests.support import toy

from airloop.config import Pipeline
from airloop.errors import GuardRefused
from airloop.models import estimators
from airloop.models.forms import choose, written
from airloop.models.forms.choose import chosen_form
from airloop.problems import task_of
from airloop.serving.inputs import Feature, Inputs

ROWS = 600
TEXTS = ("carrier", "origin")
NUMBERS = ("distance", "delay", "seats")
KINDS = {**dict.fromkeys(TEXTS, "text"), **dict.fromkeys(NUMBERS, "number")}
COLUMNS = ("distance", "carrier", "delay", "origin", "seats")
COLUMNS_OF = Inputs(tuple(Feature(name, "view", KINDS[name], (name,)) for name in COLUMNS), COLUMNS).of_model
FOREST = {"n_estimators": 7, "min_samples_leaf": 5}

MODELS = [
    ("binary", "sklearn.ensemble:HistGradientBoostingClassifier", "ordinal", {"max_iter": 15}, "trees"),
    ("binary", "sklearn.ensemble:RandomForestClassifier", "ordinal", FOREST, "trees"),
    ("binary", "sklearn.ensemble:ExtraTreesClassifier", "ordinal", FOREST, "trees"),
    ("binary", "sklearn.linear_model:LogisticRegression", "one_hot", {"max_iter": 300}, "linear"),
    ("multiclass", "sklearn.ensemble:HistGradientBoostingClassifier", "ordinal", {"max_iter": 8}, "trees"),
    ("multiclass", "sklearn.ensemble:RandomForestClassifier", "ordinal", FOREST, "trees"),
    ("multiclass", "sklearn.linear_model:LogisticRegression", "one_hot", {"max_iter": 300}, "linear"),
    ("regression", "sklearn.ensemble:HistGradientBoostingRegressor", "ordinal", {"max_iter": 15}, "trees"),
    (
        "regression",
        "sklearn.ensemble:HistGradientBoostingRegressor",
        "ordinal",
        {"max_iter": 15, "loss": "poisson"},
        "trees",
    ),
    (
        "regression",
        "sklearn.ensemble:HistGradientBoostingRegressor",
        "ordinal",
        {"max_iter": 15, "loss": "absolute_error"},
        "trees",
    ),
    ("regression", "sklearn.ensemble:RandomForestRegressor", "ordinal", FOREST, "trees"),
    ("regression", "sklearn.linear_model:Ridge", "one_hot", {}, "linear"),
    ("binary", "sklearn.ensemble:GradientBoostingClassifier", "one_hot", {"n_estimators": 5}, "pipeline"),
    ("regression", "sklearn.neighbors:KNeighborsRegressor", "one_hot", {}, "pipeline"),
    ("binary", "lightgbm:LGBMClassifier", "ordinal", {"n_estimators": 5}, "trees"),
    ("binary", "lightgbm:LGBMClassifier", "ordinal", {"n_estimators": 5, "use_missing": False}, "trees"),
    ("binary", "lightgbm:LGBMClassifier", "ordinal", {"n_estimators": 5, "num_leaves": 90}, "trees"),
    ("multiclass", "lightgbm:LGBMClassifier", "ordinal", {"n_estimators": 4}, "trees"),
    ("regression", "lightgbm:LGBMRegressor", "ordinal", {"n_estimators": 5}, "trees"),
    ("regression", "lightgbm:LGBMRegressor", "ordinal", {"n_estimators": 5, "objective": "poisson"}, "trees"),
    ("binary", "lightgbm:LGBMClassifier", "ordinal", {"n_estimators": 5, "zero_as_missing": True}, "pipeline"),
    ("binary", "lightgbm:LGBMClassifier", "ordinal", {"n_estimators": 5, "sigmoid": 2.0}, "pipeline"),
    ("multiclass", "lightgbm:LGBMClassifier", "ordinal", {"n_estimators": 3, "objective": "multiclassova"}, "pipeline"),
    (
        "regression",
        "lightgbm:LGBMRegressor",
        "ordinal",
        {"n_estimators": 5, "boosting_type": "rf", "subsample": 0.5, "subsample_freq": 1},
        "pipeline",
    ),
    ("regression", "lightgbm:LGBMRegressor", "ordinal", {"n_estimators": 3, "linear_tree": True}, "pipeline"),
    ("multiclass", "xgboost:XGBClassifier", "ordinal", {"n_estimators": 5}, "pipeline"),
]


@pytest.fixture(scope="module")
def frame():
    draw = np.random.default_rng(3)
    rows = pd.DataFrame(
        {
            "distance": draw.gamma(2, 400, ROWS),
            "carrier": draw.choice(["AA", "B6", "UA", None, ""], ROWS, p=[0.3, 0.3, 0.2, 0.15, 0.05]),
            "delay": np.where(draw.random(ROWS) < 0.3, np.nan, draw.normal(5, 20, ROWS)),
            "origin": draw.choice(["EWR", "JFK", "LGA"], ROWS),
            "seats": np.where(draw.random(ROWS) < 0.1, np.nan, draw.integers(20, 300, ROWS)).astype(float),
        }
    )
    rows["chance"] = 1 / (1 + np.exp(-(rows["distance"] / 800 - 1 + rows["delay"].fillna(-9) / 20)))
    rows["draw"] = draw.random(ROWS)
    return rows


def fitted(settings, frame, kind, estimator, encoder, params):
    declared = toy.toy_pipeline(settings)
    candidate = {"estimator": estimator, "encoder": encoder, "params": params}
    prediction = declared.prediction.model_dump() | {
        "task": kind,
        "classes": list("abc") if kind == "multiclass" else [],
    }
    metric = {"binary": "brier", "multiclass": "log_loss", "regression": "mae"}[kind]
    text = declared.model_dump(mode="json") | {"prediction": prediction}
    text["training"] |= {"candidates": {"one": candidate}, "metric": metric}
    text["gate"] = {
        "floors": [{"metric": metric, "at_most": 9}],
        "compare": text["gate"]["compare"] | {"metric": metric},
    }
    text["monitoring"]["policy"] |= {"metric": metric}
    pipeline = Pipeline.model_validate(text)
    labels = {
        "binary": (frame["draw"] < frame["chance"]).astype(float),
        "multiclass": np.floor(frame["chance"] * 2 + frame["draw"]).clip(0, 2),
        "regression": frame["chance"] * 100 + frame["draw"],
    }[kind]
    rows = frame[list(COLUMNS)].assign(label=labels)
    model = estimators.fitted_model(pipeline, "one", {}, rows, COLUMNS)
    return pipeline, SimpleNamespace(model=model, version=1)


def real_rows(frame, count=200):
    found = frame[list(COLUMNS)].head(count).astype(object)
    return found.where(found.notna(), None).to_dict(orient="records")


@pytest.mark.parametrize(("kind", "estimator", "encoder", "params", "form"), MODELS)
def test_a_model_is_served_by_a_form_that_equals_its_pipeline(
    toy_settings, frame, kind, estimator, encoder, params, form
):
    pipeline, model = fitted(toy_settings, frame, kind, estimator, encoder, params)
    task = task_of(pipeline)
    chosen = chosen_form(model.model, COLUMNS_OF, task, real_rows(frame))
    assert (chosen.name, chosen.why == "") == (form, form != "pipeline"), chosen.why
    rows = real_rows(frame, ROWS)
    if chosen.fast:
        rows += choose.probes(COLUMNS_OF, real_rows(frame))
    expected = task.predict(model.model, COLUMNS_OF.table(rows).to_pandas())
    size = np.maximum(1.0, np.abs(expected))
    assert (np.abs(chosen.predict(rows) - expected) / size).max() <= 1e-12
    if chosen.fast:
        kept = written.read(written.written(chosen, {"columns": list(COLUMNS)}))
        assert (kept.form.name, kept.why, kept.facts) == (form, "", {"columns": list(COLUMNS)})
        assert np.array_equal(kept.form.predict(rows), chosen.predict(rows))
    alone = np.concatenate([chosen.predict([row]) for row in rows[-30:]])
    assert (np.abs(alone - expected[-30:]) / size[-30:]).max() <= 1e-12


def test_a_form_that_differs_is_not_used_and_says_by_how_much(toy_settings, frame, monkeypatch):
    pipeline, model = fitted(toy_settings, frame, *MODELS[0][:4])
    real = choose.tree_form

    def off(encoder, estimator):
        form = real(encoder, estimator)
        return replace(form, values=form.values * (1 + 1e-9))

    monkeypatch.setitem(choose._BUILDERS, "trees", off)
    chosen = chosen_form(model.model, COLUMNS_OF, task_of(pipeline), real_rows(frame))
    assert chosen.name == "pipeline"
    assert "trees: differs from the pipeline by " in chosen.why


def test_a_number_beyond_float32_is_refused_by_a_forest_as_by_its_pipeline(toy_settings, frame):
    pipeline, model = fitted(toy_settings, frame, *MODELS[1][:4])
    chosen = chosen_form(model.model, COLUMNS_OF, task_of(pipeline), real_rows(frame))
    for count in (1, 40):
        with pytest.raises(ValueError, match="too large for float32"):
            chosen.predict([{**real_rows(frame)[0], "distance": 1e300}] * count)


def test_without_rows_to_compare_no_fast_form_is_used():
    assert choose.difference(lambda rows: rows, lambda rows: rows, []) == "there are no rows to compare on"


def test_small_trees_are_asked_by_leaf_masks_and_large_ones_by_walking(toy_settings, frame):
    kinds = []
    for leaves in (31, 50, 90):
        params = {"max_iter": 3, "max_leaf_nodes": leaves, "min_samples_leaf": 2}
        pipeline, model = fitted(toy_settings, frame, *MODELS[0][:3], params)
        chosen = chosen_form(model.model, COLUMNS_OF, task_of(pipeline), real_rows(frame))
        masks = chosen.predict.scorer.masks
        kinds.append((chosen.name, masks.kept.dtype.name if masks else ""))
    assert kinds == [("trees", "uint32"), ("trees", "uint64"), ("trees", "")]


def test_a_form_reads_the_values_at_its_thresholds_as_its_pipeline_does(toy_settings, frame):
    for estimator in (MODELS[0], MODELS[1]):
        pipeline, model = fitted(toy_settings, frame, *estimator[:4])
        task = task_of(pipeline)
        chosen = chosen_form(model.model, COLUMNS_OF, task, real_rows(frame))
        edges = choose.edges(chosen.predict.scorer, real_rows(frame))
        assert len(edges) > 100
        expected = task.predict(model.model, COLUMNS_OF.table(edges).to_pandas())
        assert np.abs(chosen.predict(edges) - expected).max() <= 1e-12


def test_a_file_that_is_no_form_is_refused_unread(toy_settings, frame):
    pipeline, model = fitted(toy_settings, frame, *MODELS[0][:4])
    chosen = chosen_form(model.model, COLUMNS_OF, task_of(pipeline), real_rows(frame))
    content = written.written(chosen, {})
    pickled = io.BytesIO()
    np.savez(pickled, description=np.array([{"format": 1}], dtype=object))
    newer = content.replace(b'"format": 1', b'"format": 2')
    for broken in (b"", b"not a zip", content[:-200], pickled.getvalue(), newer):
        with pytest.raises(GuardRefused, match="serving form"):
            written.read(broken)


def test_of_very_wide_rows_fewer_are_compared():
    assert [choose.fewer(2000, columns) for columns in (0, 39, 784, 3000, 10**6)] == [2000, 2000, 255, 66, 50]
