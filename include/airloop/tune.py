"""tune: search one candidate family's parameters on time-ordered folds inside the training part."""

import itertools
import time
from collections.abc import Iterator
from typing import Any

import mlflow
import numpy as np
import optuna
import pandas as pd

from airloop import tracking
from airloop.config import Candidate, Pipeline
from airloop.config.pipeline import Range
from airloop.evidence import metric_value
from airloop.models import new_model
from airloop.records import Snapshot, TunedCandidate, Window
from airloop.settings import Settings
from airloop.snapshot import labelled_part, read_snapshot

_HIGHER_IS_BETTER = {"roc_auc": 1.0, "brier": -1.0}


def tune(
    pipeline: Pipeline, _window: Window, upstream: dict[str, Any], settings: Settings, *, candidate: str
) -> TunedCandidate:
    """Try parameters within the declared budget (trials, folds, newest rows, seconds) and keep the best.

    The first trial takes the declared params with the search ranges' low ends left to the estimator's own defaults;
    Optuna's TPE sampler, seeded, draws the rest. A fold trains on what lies before its validation rows in time, with
    the embargo between them. `score` is the mean over folds, higher is better (Brier enters negated).
    """
    snapshot: Snapshot = upstream["snapshot"]
    declared, budget = pipeline.training.candidates[candidate], pipeline.training.budget
    rows = labelled_part(read_snapshot(snapshot, settings), "train").tail(budget.rows)
    began = time.monotonic()
    run = _run(pipeline, snapshot, candidate, settings)

    def objective(trial: optuna.Trial) -> float:
        params = {name: _suggest(trial, name, space) for name, space in declared.search.items()}
        scores = [_score(pipeline, candidate, params, fit, check) for fit, check in folds(pipeline, rows)]
        return float(np.mean(scores))

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=pipeline.training.seed))
    study.optimize(objective, n_trials=budget.trials if declared.search else 1, timeout=budget.seconds)
    record = TunedCandidate(
        candidate=candidate,
        params=study.best_params,
        score=float(study.best_value),
        trials=len(study.trials),
        seconds=round(time.monotonic() - began, 2),
        run_id=run,
    )
    _log(declared, record, pipeline.training.metric, study=study)
    tracking.end_run(settings, run)
    return record


def folds(pipeline: Pipeline, rows: pd.DataFrame) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Time-ordered folds: the row range is cut into folds + 1 blocks; fold i validates on block i, fits on all before.

    Rows within one embargo before a validation block are used by nobody in that fold.
    """
    count = pipeline.training.budget.folds
    edges = [int(edge) for edge in np.linspace(0, len(rows), count + 2)]
    embargo = pd.Timedelta(days=pipeline.training.embargo_days)
    for start, end in itertools.pairwise(edges[1:]):
        check = rows.iloc[start:end]
        before = rows.iloc[:start]
        yield before[before["decision_time"] < check["decision_time"].iloc[0] - embargo], check


def _score(pipeline: Pipeline, candidate: str, params: dict[str, Any], fit: pd.DataFrame, check: pd.DataFrame) -> float:
    model = new_model(pipeline, candidate, params, fit)
    model.fit(fit, fit["label"])
    metric = pipeline.training.metric
    value = metric_value(metric, check["label"].to_numpy(), model.predict_proba(check)[:, 1])
    return _HIGHER_IS_BETTER[metric] * value


def _suggest(trial: optuna.Trial, name: str, space: Range | tuple[Any, ...]) -> Any:
    if not isinstance(space, Range):
        return trial.suggest_categorical(name, list(space))
    if isinstance(space.low, int) and isinstance(space.high, int):
        return trial.suggest_int(name, space.low, space.high, log=space.log)
    return trial.suggest_float(name, space.low, space.high, log=space.log)


def _run(pipeline: Pipeline, snapshot: Snapshot, candidate: str, settings: Settings) -> str:
    key = tracking.training_key(snapshot)
    tags = {**tracking.provenance(settings), "airloop.reason": snapshot.reason, "airloop.candidate": candidate}
    parent = tracking.run_of(pipeline, settings, key=key, name=f"training {snapshot.cutoff:%Y-%m-%d}", tags=tags)
    run = tracking.run_of(
        pipeline, settings, key=f"{key}:{candidate}", name=candidate, tags=tags, parent=parent.info.run_id
    )
    return str(run.info.run_id)


def _log(declared: Candidate, record: TunedCandidate, metric: str, *, study: optuna.Study) -> None:
    with mlflow.start_run(run_id=record.run_id):
        mlflow.log_params({"estimator": declared.estimator, **declared.params, **record.params})
        mlflow.log_metrics({f"cv_{metric}": abs(record.score), "trials": record.trials, "seconds": record.seconds})
        for trial in study.trials:
            if trial.value is not None:
                mlflow.log_metric(f"trial_{metric}", abs(trial.value), step=trial.number)
