"""Models of every task and library that a service may answer by, fitted to made-up rows, and the form each gets."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
from tests.support import toy

from airloop.config import Pipeline
from airloop.models import estimators
from airloop.serving.inputs import Feature, Inputs

ROWS = 600
TEXTS = ("carrier", "origin")
NUMBERS = ("distance", "delay", "seats")
KINDS = {**dict.fromkeys(TEXTS, "text"), **dict.fromkeys(NUMBERS, "number")}
COLUMNS = ("distance", "carrier", "delay", "origin", "seats")
FEATURES = tuple(Feature(name, "view", KINDS[name], (name,)) for name in COLUMNS)
COLUMNS_OF = Inputs(FEATURES, COLUMNS).of_model
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


def made_up():
    """Rows with texts, numbers and gaps, and what labels are drawn by."""
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
