"""LightGBM, kept in its text format: https://lightgbm.readthedocs.io/en/stable/Python-Intro.html (save_model)."""

from typing import Any

from airloop.config.attribute import installed_module, resolve
from airloop.models.frameworks.kept import Kept, KeptClassifier, KeptRegressor, Numbers

DISTRIBUTIONS = ("lightgbm",)
DEFAULTS = {"deterministic": True, "force_col_wise": True, "n_jobs": 1, "verbosity": -1}
"""The same rows give the same model; declared params override them."""
NEEDS_VALIDATION_ROWS = ("early_stopping_round", "early_stopping_rounds", "early_stopping", "n_iter_no_change")
_FIRST_WORD = "tree"


def known_params(estimator: str) -> frozenset[str]:
    """Names that the estimator takes, with all that its library lists under any alias."""
    aliases = installed_module("lightgbm.basic")._ConfigAliases._get_all_param_aliases()
    listed = (name for main, names in aliases.items() for name in (main, *names))
    return frozenset(resolve(estimator)().get_params()) | frozenset(listed)


class _LightGBM(Kept):
    def _text_of(self, fitted: Any) -> str:
        return str(fitted.booster_.model_to_string())

    def _read_back(self, text: str) -> Any:
        # Its reader is given nothing that does not begin as its texts do: it is not made for strangers' files.
        if not text.startswith(f"{_FIRST_WORD}\n"):
            raise ValueError("it is not the text of a LightGBM model")
        return installed_module("lightgbm").Booster(model_str=text)

    def _ask(self, read: Any, rows: Numbers) -> Any:
        return read.predict(rows, num_threads=self.params.get("n_jobs", 1))


class LightGBMClassifier(KeptClassifier, _LightGBM):
    """See lightgbm.LGBMClassifier."""


class LightGBMRegressor(KeptRegressor, _LightGBM):
    """See lightgbm.LGBMRegressor."""


ESTIMATORS: dict[str, type[Kept]] = {"LGBMClassifier": LightGBMClassifier, "LGBMRegressor": LightGBMRegressor}
