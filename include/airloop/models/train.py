"""train: fit the best tuned candidate on the whole training part and register it, unjudged."""

import mlflow

from airloop.config import Pipeline
from airloop.deployment import Deployment
from airloop.models import choice, fold_answers, model_version, several_fits, threshold_choice, trained_entry, vote
from airloop.models.choice import Incumbent
from airloop.models.estimators import fitted_model
from airloop.models.registration import Origin, log_model, made_of, registered_version
from airloop.models.threshold_choice import ChosenThreshold, with_threshold
from airloop.models.training_key import training_key
from airloop.models.training_set import learned_rows, read_snapshot, searched_part
from airloop.models.vote import Vote
from airloop.records import Snapshot, TrainedModel, TunedCandidate, Window
from airloop.settings import Settings
from airloop.stores.mlflow import provenance, registry, tag_names, tracking

_VOTE = "vote.json"
_THRESHOLD = "threshold.json"


def inputs(at: Deployment, window: Window) -> Incumbent | None:
    """Besides its upstream, the choice depends on which family serves; not on its parameters."""
    champion = choice.incumbent(at.pipeline, window, at.settings)
    return None if champion is None else Incumbent(champion.candidate)


def train(
    at: Deployment,
    window: Window,
    reads: Incumbent | None,
    *,
    snapshot: Snapshot,
    tuned: tuple[TunedCandidate, ...],
) -> TrainedModel:
    """Fit the candidate that the folds chose (airloop.models.choice); it alone will meet the holdout, as fitted here.

    With `training.ensemble` two may answer together (airloop.models.vote), and several fits of each
    (airloop.models.several_fits), of which the folds are not asked; with the gate's rule `cost` they say from which
    probability on a prediction is acted on (airloop.models.threshold_choice). The run keeps what they said.

    The version is registered under the training's input key: a retry finds it, or the model that was logged and not
    yet registered, and does not fit again. The model is saved with skops, its types checked against the allow-list; the
    SHA-256 of its files is in the record, in the version's tags and in the ledger (`trained`).

    Raises:
        DataContractError: Labels do not fit the task, or a classifier has one class only to learn from.
        GuardRefused: The fitted model holds a type that is not on the allow-list.
    """
    pipeline, settings = at.pipeline, at.settings
    key = training_key(pipeline, snapshot)
    tags = {**provenance.provenance(settings), tag_names.REASON: snapshot.reason}
    run = tracking.run_of(pipeline, settings, key=key, name=f"training {snapshot.cutoff:%Y-%m-%d}", tags=tags)
    run_id = str(run.info.run_id)
    best = several_fits.with_fits(pipeline, _with_threshold(at, snapshot, tuned, choice.choose(tuned, reads), run_id))
    origin = Origin(snapshot, best.candidate, best.params, made_of(pipeline, snapshot, settings), {})
    version = registered_version(
        pipeline,
        settings,
        run=run,
        key=key,
        origin=origin,
        fit=lambda: _fit(pipeline, best, origin, settings, run_id=run_id),
    )
    registered = registry.version_of(settings, pipeline.name, version)
    trained = TrainedModel(
        candidate=best.candidate,
        model_name=pipeline.name,
        version=version,
        run_id=run_id,
        model_uri=registered.source,
        params=best.params,
        snapshot_digest=snapshot.digest,
        input_key=key,
        experiment_id=str(run.info.experiment_id),
        model_digest=registered.tags.get(model_version.DIGEST, ""),
    )
    trained_entry.record(settings, trained, snapshot)
    registry.set_alias(settings, pipeline.name, registry.CANDIDATE, version)
    tracking.end_run(settings, run_id)
    return trained


def _voted(
    at: Deployment, snapshot: Snapshot, tuned: tuple[TunedCandidate, ...], best: TunedCandidate, run_id: str
) -> TunedCandidate:
    """The best family, or two that are to answer together; a retry finds what the first try decided."""
    if at.pipeline.training.ensemble.by == "none":
        return best
    stored = tracking.read_json(at.settings, run_id, _VOTE)
    if stored is not None:
        return Vote.from_json(stored).chosen
    answers = {each.candidate: fold_answers.kept(at.settings, each.run_id) for each in tuned}
    rows = searched_part(at.pipeline, read_snapshot(snapshot, at.settings))
    outcome = vote.tried(at.pipeline, tuned, best, rows, answers)
    tracking.write_json(at.settings, run_id, _VOTE, outcome.to_json())
    return outcome.chosen


def _with_threshold(
    at: Deployment, snapshot: Snapshot, tuned: tuple[TunedCandidate, ...], best: TunedCandidate, run_id: str
) -> TunedCandidate:
    """Voted, with the threshold of its decisions where costs are declared; a retry finds what the first try chose."""
    best = _voted(at, snapshot, tuned, best, run_id)
    if threshold_choice.declared_costs(at.pipeline) is None:
        return best
    stored = tracking.read_json(at.settings, run_id, _THRESHOLD)
    if stored is not None:
        return with_threshold(best, ChosenThreshold.from_json(stored))
    answers = {each.candidate: fold_answers.kept(at.settings, each.run_id) for each in tuned}
    rows = searched_part(at.pipeline, read_snapshot(snapshot, at.settings))
    chosen = threshold_choice.chosen_threshold(at.pipeline, best, rows, answers)
    if chosen is None:
        return best
    tracking.write_json(at.settings, run_id, _THRESHOLD, chosen.to_json())
    return with_threshold(best, chosen)


def _fit(pipeline: Pipeline, best: TunedCandidate, origin: Origin, settings: Settings, *, run_id: str) -> str:
    frame = read_snapshot(origin.snapshot, settings)
    rows = learned_rows(pipeline, frame[frame["part"] == "train"], best.params)
    features = list(origin.snapshot.features)
    model = fitted_model(pipeline, best.candidate, best.params, rows, features)
    with tracking.resumed(settings, run_id):
        mlflow.log_metric("cv_score", best.score)
    return log_model(pipeline, model, rows[features], origin, settings, run_id=run_id)
