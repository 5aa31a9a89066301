"""Models: an estimator named in YAML behind the preprocessing that its kind needs."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline as SklearnPipeline
from sklearn.pipeline import make_pipeline
from sklearn.utils.validation import has_fit_parameter

from airloop.config import OF_VALUES, Candidate, Pipeline
from airloop.config.attribute import resolve
from airloop.errors import ConfigError, DataContractError, GuardRefused
from airloop.models import balanced, calibrated, candidate_errors, frameworks, preprocessing, quantile_fits, recency
from airloop.models.anomaly_scores import AnomalyScores
from airloop.models.balanced import Balanced
from airloop.models.partners import alone, partner_of
from airloop.models.quantile_fits import QuantileFits
from airloop.models.self_training import of_estimator, self_trained, uses_unlabelled
from airloop.models.several_fits import fits_of
from airloop.models.soft_vote import VoteOfClassifiers, VoteOfRegressors
from airloop.models.stable_features import read_by
from airloop.problems import refuse_unfit_labels, task_of
from airloop.stores.mlflow.model_types import ALLOWED_TYPES, strange_types


def check_candidate(pipeline: Pipeline, candidate: str) -> None:
    """Refuse a declared candidate that can never be trained for the pipeline's task.

    Raises:
        ConfigError: Its estimator cannot be imported, does not take its params or those of its search, or predicts
            something else than the task asks for.
    """
    declared = pipeline.training.candidates[candidate]
    place = f"{pipeline.name}/pipeline.yaml: training.candidates.{candidate}"
    estimator = _made(declared, place)
    if not isinstance(estimator, BaseEstimator):
        raise ConfigError(f"{place}.estimator: {declared.estimator} is not a scikit-learn estimator")
    if unkept := frameworks.problem_of(declared):
        raise ConfigError(f"{place}.{unkept}")
    problem = task_of(pipeline).model_problem(estimator)
    if pipeline.prediction.task == "quantiles":
        problem = problem or quantile_fits.problem_of(declared.estimator, {**declared.params, **declared.search})
    if problem:
        raise ConfigError(f"{place}.estimator: {problem} (prediction.task)")
    if pipeline.training.half_life_days is not None and not has_fit_parameter(estimator, "sample_weight"):
        raise ConfigError(
            f"{place}.estimator: {declared.estimator} takes no sample_weight, which training.half_life_days needs: "
            "take it out, or name another estimator"
        )
    if unbalanced := balanced.problem_of(pipeline.training.balance.by, estimator):
        raise ConfigError(f"{place}.estimator: {declared.estimator} {unbalanced}")
    known = estimator.get_params()
    strange = sorted(set(declared.search) - set(known))
    if strange:
        raise ConfigError(f"{place}.search: {declared.estimator} has no {strange[0]!r} (has: {', '.join(known)})")


def _made(declared: Candidate, place: str) -> Any:
    try:
        return resolve(declared.estimator)(**declared.params)
    except ConfigError as error:
        raise ConfigError(f"{place}.estimator: {error}") from error
    except TypeError as error:
        raise ConfigError(f"{place}.params: {declared.estimator} does not take them: {error}") from error
    except Exception as error:  # the constructor of any class
        says = f"{type(error).__name__}: {error}"
        raise ConfigError(f"{place}.estimator: {declared.estimator} cannot be made with its params: {says}") from error


def fitted_model(
    pipeline: Pipeline,
    candidate: str,
    params: Mapping[str, Any],
    rows: pd.DataFrame,
    features: Sequence[str] | None = None,
) -> SklearnPipeline:
    """A candidate fitted on labelled rows, or on all where `params` say so (airloop.models.self_training).

    Raises:
        ConfigError: See new_model; or the estimator raised in its fit (airloop.models.candidate_errors).
        DataContractError: Labels do not fit the task, or are of one class only; or weights leave too few rows.
    """
    refuse_unfit_labels(pipeline, rows["label"])
    if not task_of(pipeline).can_learn(rows["label"].dropna() if uses_unlabelled(params) else rows["label"]):
        raise DataContractError(
            f"{pipeline.name}: all {len(rows)} rows to fit {candidate} on have label {rows['label'].iloc[0]:g}: "
            "a classifier needs two classes; give it more rows, or a task with other labels"
        )
    names = list(features) if features is not None else feature_columns(pipeline, rows)

    def fit(known: pd.DataFrame) -> SklearnPipeline:
        model = new_model(pipeline, candidate, params, known, names)
        weights = recency.weights(pipeline, model, known)
        with candidate_errors.told(pipeline, candidate, f"fit {dict(params)} on {len(known)} rows"):
            return model.fit(known[names], known["label"], **weights)

    return self_trained(pipeline, rows, names, fit) if uses_unlabelled(params) else fit(rows)


def new_model(
    pipeline: Pipeline,
    candidate: str,
    params: Mapping[str, Any],
    frame: pd.DataFrame,
    features: Sequence[str] | None = None,
) -> SklearnPipeline:
    """An unfitted scikit-learn pipeline for a candidate of the declaration.

    Text features are one-hot encoded (rare values together) with numbers imputed by their median and scaled;
    ordinally encoded (unknown and missing are -1) with numbers passed as they are; or encoded by the mean label of
    their value, shrunk and cross-fitted (Micci-Barreca 2001), with numbers as they are. Those that training.text names
    are read by their words (airloop.models.documents). Rows keep their order.

    Args:
        params: Override the declared ones; the seed is training.seed where the estimator takes a random_state. They may
            say which of the features it reads (airloop.models.stable_features), which family answers with it
            (airloop.models.partners) and how many fits (airloop.models.several_fits): the pipeline is then a vote of
            both, each with its own encoder, or of the fits behind one. A family of several fits votes as one.
        frame: The rows it will be fitted on: tell text features from numbers, and numbers from those without any value,
            which are left out (gradient boosting cannot bin them).
        features: Columns in model order; default is every column that is not a key, time, label or part.

    Raises:
        ConfigError: The candidate is not declared, or its estimator cannot be imported.
    """
    partner = partner_of(params)
    if partner is not None:
        families = ((candidate, alone(params)), partner)
        return make_pipeline(_vote(pipeline, [new_model(pipeline, *family, frame, features) for family in families]))
    if candidate not in pipeline.training.candidates:
        known = ", ".join(pipeline.training.candidates)
        raise ConfigError(f"{pipeline.name}: training.candidates has no {candidate!r} any more (declared: {known})")
    declared = pipeline.training.candidates[candidate]
    names = list(features) if features is not None else feature_columns(pipeline, frame)
    read = read_by(params, names)
    documents = [name for name in read if name in pipeline.training.text]
    plain = [name for name in read if name not in documents]
    texts = [name for name in plain if not pd.api.types.is_numeric_dtype(frame[name])]
    numbers = [name for name in plain if name not in texts and frame[name].notna().any()]
    estimators = [_estimator(seeded, declared, of_estimator(own)) for seeded, own in fits_of(pipeline, params)]
    columns = preprocessing.Columns(texts, numbers, documents)
    encoder = preprocessing.encoder(pipeline, declared.encoder, estimators[0], columns)
    fits = [_corrected(pipeline, estimator, params) for estimator in estimators]
    return make_pipeline(encoder, fits[0] if len(fits) == 1 else _vote(pipeline, fits))


def _vote(pipeline: Pipeline, members: Sequence[Any]) -> VoteOfRegressors | VoteOfClassifiers:
    return VoteOfRegressors(members) if pipeline.prediction.task in OF_VALUES else VoteOfClassifiers(members)


def _corrected(pipeline: Pipeline, estimator: Any, params: Mapping[str, Any]) -> Any:
    """The estimator, or its holder that balances the classes, or corrects what it says."""
    balance = pipeline.training.balance
    if balance.by != "none":
        estimator = Balanced(estimator, balance.by, balance.at_most)
    return calibrated.Calibrated(estimator, params[calibrated.KEY]) if calibrated.KEY in params else estimator


def _estimator(pipeline: Pipeline, declared: Candidate, params: Mapping[str, Any]) -> BaseEstimator:
    """With training.seed where it takes one; of another framework in the form that is saved."""
    levels = pipeline.prediction.quantiles
    if not levels:
        single = _one_estimator(pipeline, declared, {**declared.params, **params})
        return AnomalyScores(single) if pipeline.prediction.task == "anomaly" else single
    by_level = (quantile_fits.level_params(declared.estimator, level) for level in levels)
    return QuantileFits(
        [_one_estimator(pipeline, declared, {**declared.params, **params, **own}) for own in by_level], levels
    )


def _one_estimator(pipeline: Pipeline, declared: Candidate, params: dict[str, Any]) -> BaseEstimator:
    estimator = resolve(declared.estimator)(**params)
    if "random_state" in estimator.get_params():
        params["random_state"] = pipeline.training.seed
        estimator.set_params(random_state=pipeline.training.seed)
    return frameworks.kept_form(declared, params) or estimator


def feature_columns(pipeline: Pipeline, frame: pd.DataFrame) -> list[str]:
    """Columns of a training frame that are features."""
    other = {pipeline.prediction.entity_key, "decision_time", "label", "part"}
    return [name for name in frame.columns if name not in other]


def trusted_types(model: SklearnPipeline, reviewed: frozenset[str] = frozenset()) -> list[str]:
    """The types a model file of this model holds beyond skops' safe list; MLflow saves it only when told them.

    Raises:
        GuardRefused: A type in it is neither on the allow-list nor reviewed, so that it would not load again.
    """
    from skops.io import dumps, get_untrusted_types

    file = dumps(model)
    untrusted = get_untrusted_types(data=file)
    refused = strange_types(file, reviewed) or tuple(sorted(set(untrusted) - ALLOWED_TYPES - reviewed))
    if refused:
        raise GuardRefused(
            f"model holds {refused[0]}, not on the allow-list of "
            "airloop.stores.mlflow.model_types: it cannot be saved safely; a class of your own that a person has "
            "reviewed is named in trusted_types of its candidate"
        )
    return list(untrusted)
