"""Estimators of other frameworks, kept as the framework's own text: one framework a file, installed by an extra."""

import importlib
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from airloop.config import Candidate
from airloop.config.nearest import nearest
from airloop.models.balanced import Balanced
from airloop.models.calibrated import Calibrated
from airloop.models.frameworks.kept import Kept
from airloop.models.quantile_fits import QuantileFits
from airloop.models.soft_vote import members_of

FRAMEWORKS = {"lightgbm": "airloop.models.frameworks.lightgbm", "xgboost": "airloop.models.frameworks.xgboost"}
"""Top module of an estimator's path -> module of the framework; the name is the extra's, too."""

__all__ = ["FRAMEWORKS", "Kept", "kept_form", "packages_of", "problem_of"]


def problem_of(declared: Candidate) -> str:
    """Why a candidate of a framework cannot be kept as text; empty when it can, or is of no framework."""
    framework = _framework(declared.estimator)
    if framework is None:
        return ""
    name = declared.estimator.partition(":")[2]
    if name not in framework.ESTIMATORS:
        return f"estimator: {declared.estimator} cannot be kept as text (can be: {', '.join(framework.ESTIMATORS)})"
    for place in ("params", "search"):
        early = sorted(set(framework.NEEDS_VALIDATION_ROWS) & set(getattr(declared, place)))
        if early:
            return f"{place}: {early[0]} needs validation rows beside the fit; search n_estimators instead"
    # A framework takes any name, and learns as if a mistyped one were not there.
    known = framework.known_params(declared.estimator)
    strange = sorted(set(declared.params) - known)
    return f"params: {declared.estimator} has no {strange[0]!r}{nearest(strange[0], known)}" if strange else ""


def kept_form(declared: Candidate, params: dict[str, Any]) -> Kept | None:
    """The unfitted estimator of a framework with these params; None for one of scikit-learn's, or of the project's."""
    framework = _framework(declared.estimator)
    if framework is None:
        return None
    form = framework.ESTIMATORS[declared.estimator.partition(":")[2]]
    holder: Kept = form(declared.estimator, {**framework.DEFAULTS, **params})
    return holder


def packages_of(model: Any) -> tuple[str, ...]:
    """The installed distributions of the frameworks at the end of a scikit-learn pipeline; none for others."""
    return tuple(dict.fromkeys(name for member in members_of(model) for name in _packages(member.steps[-1][1])))


def _packages(last: Any) -> tuple[str, ...]:
    for wrapper in (Calibrated, Balanced):
        last = last.estimator if isinstance(last, wrapper) else last
    last = last.estimators[0] if isinstance(last, QuantileFits) else last
    framework = _framework(last.estimator) if isinstance(last, Kept) else None
    return tuple(filter(_is_installed, framework.DISTRIBUTIONS))[:1] if framework else ()


def _is_installed(distribution: str) -> bool:
    try:
        return bool(version(distribution))
    except PackageNotFoundError:
        return False


def _framework(path: str) -> Any:
    top = path.partition(":")[0].partition(".")[0]
    return importlib.import_module(FRAMEWORKS[top]) if top in FRAMEWORKS else None
