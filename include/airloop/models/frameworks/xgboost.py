"""XGBoost, kept in its JSON format: https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html."""

import json
from typing import Any

from airloop.config.attribute import installed_module
from airloop.models.frameworks.kept import Kept, KeptClassifier, KeptRegressor, Numbers

DISTRIBUTIONS = ("xgboost-cpu", "xgboost")
DEFAULTS = {"n_jobs": 1, "verbosity": 0}
NEEDS_VALIDATION_ROWS = ("early_stopping_rounds",)


class _XGBoost(Kept):
    def _text_of(self, fitted: Any) -> str:
        return bytes(fitted.get_booster().save_raw("json")).decode()

    def _read_back(self, text: str) -> Any:
        if "learner" not in json.loads(text):
            raise ValueError("it is not the JSON of an XGBoost model")
        booster = installed_module("xgboost").Booster({"nthread": self.params.get("n_jobs", 1), "verbosity": 0})
        booster.load_model(bytearray(text.encode()))
        return booster

    def _ask(self, read: Any, rows: Numbers) -> Any:
        # The JSON does not say which value stands for a missing one; the params do.
        missing = self.params.get("missing", float("nan"))
        return read.predict(installed_module("xgboost").DMatrix(rows, missing=missing, nthread=1))


class XGBoostClassifier(KeptClassifier, _XGBoost):
    """See xgboost.XGBClassifier."""


class XGBoostRegressor(KeptRegressor, _XGBoost):
    """See xgboost.XGBRegressor."""


ESTIMATORS: dict[str, type[Kept]] = {
    "XGBClassifier": XGBoostClassifier,
    "XGBRFClassifier": XGBoostClassifier,
    "XGBRFRegressor": XGBoostRegressor,
    "XGBRegressor": XGBoostRegressor,
}
