"""XGBoost, kept in its JSON format: https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html."""

import json
from typing import Any

from airloop.config.attribute import installed_module, resolve
from airloop.models.frameworks.kept import Kept, KeptClassifier, KeptRegressor, Numbers

DISTRIBUTIONS = ("xgboost-cpu", "xgboost")
DEFAULTS = {"n_jobs": 1, "verbosity": 0}
NEEDS_VALIDATION_ROWS = ("early_stopping_rounds",)


_OF_THE_LIBRARY = frozenset(
    {
        *("eta", "alpha", "lambda", "seed", "nthread", "sketch_ratio", "refresh_leaf", "process_type", "updater"),
        *(
            "min_split_loss",
            "max_cached_hist_node",
            "extmem_single_page",
            "seed_per_iteration",
            "disable_default_eval_metric",
        ),
        *(
            "tweedie_variance_power",
            "huber_slope",
            "quantile_alpha",
            "aft_loss_distribution",
            "aft_loss_distribution_scale",
        ),
        *("rate_drop", "one_drop", "skip_drop", "sample_type", "normalize_type", "feature_selector", "top_k"),
        "num_class",
    }
)
"""Parameters that its classes pass on to the library: https://xgboost.readthedocs.io/en/stable/parameter.html."""


def known_params(estimator: str) -> frozenset[str]:
    """Names that the estimator takes, and those that it passes on to its library."""
    return frozenset(resolve(estimator)().get_params()) | _OF_THE_LIBRARY


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
