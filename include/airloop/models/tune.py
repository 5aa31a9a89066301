"""tune: search one candidate family's parameters on time-ordered folds inside the training part."""

import json
import math
import time
import warnings
from collections.abc import Mapping, MutableMapping
from functools import partial
from typing import Any

import mlflow
import numpy as np
import optuna
import pandas as pd
from mlflow.entities import Run

from airloop.config import METRICS, Candidate, Pipeline
from airloop.config.training import Range
from airloop.deployment import Deployment
from airloop.errors import GuardRefused
from airloop.models import (
    calibration_trial,
    candidate_errors,
    fold_answers,
    hopeless,
    stable_features,
    threshold_choice,
    unlabelled_trial,
    without_labels,
)
from airloop.models.choice import Incumbent, incumbent
from airloop.models.estimators import feature_columns, fitted_model
from airloop.models.evidence import metric_value
from airloop.models.fold_answers import FoldAnswers
from airloop.models.folds import folds
from airloop.models.halves import halves, shared_alarms
from airloop.models.self_training import of_estimator
from airloop.models.training_key import training_key
from airloop.models.training_set import read_snapshot, searched_part
from airloop.models.trials import KeptTrials, key_of
from airloop.problems import task_of
from airloop.records import Snapshot, TunedCandidate, Window
from airloop.settings import Settings
from airloop.stores.mlflow import provenance, tag_names, tracking

_SEARCH = "search.json"
_SEARCH_OF_OLD = "airloop.found"
"""The tag that held the search before it was an artifact; MLflow cuts tags off at 8,000 characters."""


def inputs(at: Deployment, window: Window) -> Incumbent | None:
    """Besides its upstream, a search depends on the champion it starts from."""
    return incumbent(at.pipeline, window, at.settings)


def tune(
    at: Deployment, window: Window, reads: Incumbent | None, *, snapshot: Snapshot, candidate: str
) -> TunedCandidate:
    """Try parameters within the declared budget (trials, folds, rows) and keep the best on time-ordered folds.

    Optuna's TPE sampler, seeded, draws them over the declared params; a candidate without `search` is one trial. What
    the champion of this family was trained with is the first trial. Folds: airloop.models.folds. `score` is the mean
    over folds, higher is better (a metric where lower is better enters negated). Of a task that learns without labels,
    where a fold has too few it is the share of alarms that fits on two halves of the days have in common. The same
    snapshot gives the same result on a machine of any load: the budget's seconds never end a search with the trials so
    far. A retry returns what its MLflow run says was found.

    Raises:
        DataContractError: A fold has no training rows, one class only, or no metric.
        GuardRefused: The search took longer than the budget's seconds; looked at before each fit.
    """
    pipeline, settings = at.pipeline, at.settings
    run = _run(pipeline, snapshot, candidate, settings)
    search = _earlier_search(run, settings)
    if search is None:
        rows = searched_part(pipeline, read_snapshot(snapshot, settings))
        answers = FoldAnswers()
        search = search_of(pipeline, candidate, rows, reads, KeptTrials(settings, str(run.info.run_id)), answers)
        if pipeline.training.ensemble.by != "none" or threshold_choice.declared_costs(pipeline) is not None:
            best_answers = answers.of(search["params"], len(search["fold_scores"]))
            fold_answers.keep(settings, str(run.info.run_id), best_answers)
        tracking.write_json(settings, str(run.info.run_id), _SEARCH, search)
    record = TunedCandidate(
        candidate=candidate,
        params=search["params"],
        score=search["score"],
        fold_scores=tuple(search.get("fold_scores", ())),
        trials=len(search["trials"]),
        seconds=search["seconds"],
        run_id=str(run.info.run_id),
    )
    if run.info.status != "FINISHED":
        _log(pipeline, record, search["trials"], settings)
    tracking.end_run(settings, record.run_id)
    return record


def _earlier_search(run: Run, settings: Settings) -> dict[str, Any] | None:
    """What the run of this input holds of a search that ended; None when it was killed before, or half-written."""
    text = tracking.read_artifact(settings, str(run.info.run_id), _SEARCH) or run.data.tags.get(_SEARCH_OF_OLD)
    try:
        search = json.loads(text or "null")
    except ValueError:  # cut off: searching again ends in the same place
        return None
    return search if isinstance(search, dict) else None


def search_of(
    pipeline: Pipeline,
    candidate: str,
    rows: pd.DataFrame,
    incumbent: Incumbent | None = None,
    known: MutableMapping[str, list[float]] | None = None,
    answers: FoldAnswers | None = None,
) -> dict[str, Any]:
    """Best `params`, their `score` and `fold_scores`, the value of each of the `trials`, `seconds` taken.

    `pruned` are the trials that were given up (airloop.models.hopeless); their value is that of the folds they had.

    The incumbent's own parameters are the first trial of its family, and those of its partner of the partner's, where
    the declared search holds them. Trials that are `known` (airloop.models.trials) are not fitted again; those that end
    become known. `answers` take what the best parameters say of each fold.
    """
    declared, budget = pipeline.training.candidates[candidate], pipeline.training.budget
    began = time.monotonic()
    unlabelled = rows.head(0)
    if pipeline.training.unlabelled.by != "none":
        unlabelled, rows = rows[rows["label"].isna()], rows[rows["label"].notna()].reset_index(drop=True)
    cut = folds(pipeline, rows)
    scores_by_key: MutableMapping[str, list[float]] = {} if known is None else known
    by_fold: list[list[float]] = []
    answers = FoldAnswers() if answers is None else answers
    score_of = partial(_score, pipeline, candidate, answers=answers)

    def objective(trial: optuna.Trial) -> float:
        params = {name: _suggest(trial, name, space) for name, space in declared.search.items()}
        before = scores_by_key.get(key_of(params), [])

        def score(number: int) -> float:
            _refuse_overrun(pipeline, candidate, trial.number, time.monotonic() - began)
            return score_of(params, *cut[number])

        scores = hopeless.scores_of(trial, len(cut), before, score)
        if len(scores) > len(before):
            scores_by_key[key_of(params)] = scores
        by_fold.append(scores)
        pruned = len(scores) < len(cut)
        answers.ended(params, -math.inf if pruned else float(np.mean(scores)))
        if pruned:
            raise optuna.TrialPruned
        return float(np.mean(scores))

    # What ends a search is raised and told once; Optuna would tell it twice more.
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.TPESampler(seed=pipeline.training.seed)
    study = optuna.create_study(direction="maximize", sampler=sampler, pruner=hopeless.pruner(budget))
    known_to_serve = None if incumbent is None else incumbent.params_of(candidate)
    if known_to_serve is not None and _within(declared, known_to_serve):
        study.enqueue_trial(of_estimator(known_to_serve))
    study.optimize(objective, n_trials=budget.trials if declared.search else 1)
    search = {
        "params": study.best_params,
        "score": float(study.best_value),
        "fold_scores": by_fold[study.best_trial.number],
        "trials": [trial.value for trial in study.trials],
        "pruned": [trial.number for trial in study.trials if trial.state is optuna.trial.TrialState.PRUNED],
    }
    features, fit_of = feature_columns(pipeline, rows), partial(fitted_model, pipeline, candidate)
    search = stable_features.tried(pipeline, search, cut, features, fit=fit_of, score=score_of)
    search = unlabelled_trial.tried(pipeline, search, cut, unlabelled, score_of)
    search = calibration_trial.tried(pipeline, search, cut, score_of)
    return search | {"seconds": round(time.monotonic() - began, 2)}


def _within(declared: Candidate, params: Mapping[str, Any]) -> bool:
    """Whether the declared search could have found these parameters."""
    params = of_estimator(params)
    if params.keys() != declared.search.keys():
        return False
    return all(
        space.low <= params[name] <= space.high if isinstance(space, Range) else params[name] in space
        for name, space in declared.search.items()
    )


def _refuse_overrun(pipeline: Pipeline, candidate: str, trial: int, seconds: float) -> None:
    """Seconds only abort: a search that kept what it had would give another model on a busy machine."""
    budget = pipeline.training.budget
    if seconds > budget.seconds:
        raise GuardRefused(
            f"{pipeline.name}: tuning {candidate} took {seconds:.0f} s by trial {trial + 1} of {budget.trials}, "
            f"training.budget.seconds is {budget.seconds:g}: raise it, or lower training.budget.trials, folds or rows "
            f"({budget.trials}, {budget.folds}, {budget.rows}) in pipeline.yaml, then run tune again"
        )


def _score(
    pipeline: Pipeline,
    candidate: str,
    params: dict[str, Any],
    fit: pd.DataFrame,
    check: pd.DataFrame,
    *,
    answers: FoldAnswers,
) -> float:
    if task_of(pipeline).learns_without_labels and without_labels.reason(pipeline, check[check["label"].notna()]):
        both_halves = halves(pipeline, candidate, params, fit)(check)
        return shared_alarms(*both_halves, task_of(pipeline).alarm_share)
    check = check[check["label"].notna()]
    model = fitted_model(pipeline, candidate, params, fit)
    predicted = candidate_errors.predictions(pipeline, candidate, model, check[feature_columns(pipeline, check)])
    answers.add(params, predicted)
    metric = pipeline.training.metric
    return METRICS[metric].sign * metric_value(metric, check["label"], predicted)


def _suggest(trial: optuna.Trial, name: str, space: Range | tuple[Any, ...]) -> Any:
    if not isinstance(space, Range):
        with warnings.catch_warnings():  # a list among the values cannot be kept by Optuna, which keeps nothing here
            warnings.filterwarnings("ignore", "Choices for a categorical distribution", UserWarning)
            return trial.suggest_categorical(name, list(space))
    if isinstance(space.low, int) and isinstance(space.high, int):
        return trial.suggest_int(name, space.low, space.high, log=space.log)
    return trial.suggest_float(name, space.low, space.high, log=space.log)


def _run(pipeline: Pipeline, snapshot: Snapshot, candidate: str, settings: Settings) -> Run:
    key = training_key(pipeline, snapshot)
    tags = {**provenance.provenance(settings), tag_names.REASON: snapshot.reason, tag_names.CANDIDATE: candidate}
    parent = tracking.run_of(pipeline, settings, key=key, name=f"training {snapshot.cutoff:%Y-%m-%d}", tags=tags)
    return tracking.run_of(
        pipeline, settings, key=f"{key}:{candidate}", name=candidate, tags=tags, parent=parent.info.run_id
    )


def _log(pipeline: Pipeline, record: TunedCandidate, trials: list[float], settings: Settings) -> None:
    declared, metric = pipeline.training.candidates[record.candidate], pipeline.training.metric
    sign = METRICS[metric].sign
    with tracking.resumed(settings, record.run_id):
        mlflow.log_params({"estimator": declared.estimator, **declared.params, **record.params})
        mlflow.log_metrics({f"cv_{metric}": sign * record.score, "trials": record.trials, "seconds": record.seconds})
        for number, value in enumerate(trials):
            mlflow.log_metric(f"trial_{metric}", sign * value, step=number)
