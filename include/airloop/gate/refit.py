"""refit: what goes into force after a decision that passed has also learned from the holdout that judged it."""

import dataclasses
import logging
from typing import Any

from airloop.config import Pipeline
from airloop.deployment import Deployment
from airloop.errors import GuardRefused
from airloop.models import model_version
from airloop.models.estimators import fitted_model
from airloop.models.refit_checks import Agreement, agreement
from airloop.models.registration import Origin, log_model, made_of, registered_version
from airloop.models.reserve import learnable
from airloop.models.training_key import training_key
from airloop.models.training_set import learned_part, learned_rows, read_snapshot
from airloop.problems import task_of
from airloop.records import Decision, Refitted, Snapshot, TrainedModel, Window
from airloop.records.digests import digest
from airloop.settings import Settings
from airloop.stores import ledger
from airloop.stores.ledger import HISTORY_KINDS, Draft, Entry, History
from airloop.stores.mlflow import provenance, registry, tag_names, tracking

logger = logging.getLogger(__name__)


def refit(at: Deployment, window: Window, *, snapshot: Snapshot, trained: TrainedModel, decision: Decision) -> Refitted:
    """Fit the judged version's estimator and parameters on all mature rows of its cutoff, and check the result.

    The refit is a version of its own, the next number, tagged `airloop.refit_of`; nothing ever judged it on rows it has
    not seen, so it goes into force only when it loads from the registry and agrees with the judged version on the
    holdout (airloop.models.refit_checks). Otherwise the judged version does, and the ledger says why. Writes one
    `refitted` entry; promote acts on it. The gate's evidence stays that of the judged version.

    A decision that did not pass, that was promoted already, or `training.refit.on: none` leave nothing to do: no entry.
    The version is registered under the training's key: a retry finds it, and fits again only what was never logged.

    Raises:
        GuardRefused: The ledger does not verify, or does not hold the decision as given.
        UpstreamUnavailable: MLflow does not answer.
    """
    pipeline, settings = at.pipeline, at.settings
    nothing = _nothing_to_do(pipeline, decision)
    if nothing:
        return _of_judged(decision, nothing)
    history = ledger.intact_history(settings, pipeline.name)
    _require_recorded(decision, history)
    recorded = history.refit_of(decision.sequence or 0)
    if recorded is None and history.intended_of(decision.sequence or 0) is not None:
        return _of_judged(decision, "its promotion has begun: the judged version is in force")
    if recorded is None:
        refitted = _checked(pipeline, decision, snapshot, trained, settings)
        recorded = _record(pipeline, refitted, decision, settings)
    record = dataclasses.replace(Refitted.from_json(recorded.payload), sequence=recorded.sequence)
    logger.info("%s %s: %s (ledger entry %d)", pipeline.name, window, record.why, recorded.sequence)
    return record


def _nothing_to_do(pipeline: Pipeline, decision: Decision) -> str:
    if not decision.passed:
        return "the gate refused: nothing is refitted"
    if pipeline.training.refit.on == "none":
        return "training.refit.on is none: the judged version goes into force"
    return ""


def _require_recorded(decision: Decision, history: History) -> None:
    entry = history.decision(decision.sequence or 0)
    if entry is None or entry.payload.get("version") != decision.version or not ledger.passes(entry):
        raise GuardRefused(f"the ledger holds no passed decision {decision.sequence} on {decision.version}: run decide")


def _of_judged(decision: Decision, why: str, **measured: Any) -> Refitted:
    """The judged version goes into force."""
    return Refitted(
        model_name=decision.model_name,
        version=decision.version,
        judged_version=decision.version,
        decision_sequence=decision.sequence or 0,
        outcome="judged",
        why=why,
        model_digest=decision.model_digest,
        effective_at=decision.effective_at,
        **measured,
    )


def _checked(
    pipeline: Pipeline, decision: Decision, snapshot: Snapshot, trained: TrainedModel, settings: Settings
) -> Refitted:
    learned = Window(snapshot.train.start, snapshot.holdout.end)
    judged = model_version.load_version(pipeline, decision.version, settings, digest=decision.model_digest)
    try:
        version, rows = _version(pipeline, snapshot, trained, settings)
        again = model_version.load_version(pipeline, version, settings)
        held_out = learned_part(pipeline, read_snapshot(snapshot, settings), "holdout")
        sides = judged.predict(pipeline, held_out), again.predict(pipeline, held_out)
        limit = pipeline.training.refit.max_difference
        agreed = agreement(task_of(pipeline), *sides, max_difference=limit)
    except GuardRefused as error:  # does not load, predicts no valid values, holds a type that may not be saved
        return _of_judged(
            decision, f"version {decision.version} goes into force itself, its refit is left out: {error}"
        )
    measured: dict[str, Any] = {
        "difference": agreed.difference,
        "spread": agreed.spread,
        "rows": rows,
        "learned": learned,
    }
    if agreed.problem:
        left_out = f"its refit, version {version}, is left out: {agreed.problem}"
        return _of_judged(decision, f"version {decision.version} goes into force itself, {left_out}", **measured)
    return Refitted(
        model_name=decision.model_name,
        version=version,
        judged_version=decision.version,
        decision_sequence=decision.sequence or 0,
        outcome="refitted",
        why=_says(version, decision.version, rows, agreed),
        model_digest=again.digest,
        effective_at=decision.effective_at,
        **measured,
    )


def _says(version: int, judged: int, rows: int, agreed: Agreement) -> str:
    apart = (
        "" if agreed.difference is None else f"; it differs by {agreed.difference:.2f} standard deviations on average"
    )
    return f"version {version} is the refit of version {judged} on all {rows:,} mature rows{apart}"


def _version(pipeline: Pipeline, snapshot: Snapshot, trained: TrainedModel, settings: Settings) -> tuple[int, int]:
    """The registered refit, and how many rows it learned from."""
    frame = read_snapshot(snapshot, settings)
    rows = learnable(learned_rows(pipeline, frame, trained.params), snapshot.reserve_days)
    key = digest([training_key(pipeline, snapshot), "refit"])[:32]
    name = f"refit of version {trained.version}"
    tags = {
        **provenance.provenance(settings),
        tag_names.REASON: snapshot.reason,
        tag_names.REFIT_OF: str(trained.version),
    }
    run = tracking.run_of(pipeline, settings, key=key, name=name, tags=tags, parent=trained.run_id)
    run_id = str(run.info.run_id)
    record = made_of(pipeline, snapshot, settings) | {"refit": {"of": trained.version, "rows": len(rows)}}
    own = registry.version_of(settings, pipeline.name, trained.version).tags
    judged_on = {name: own[name] for name in (tag_names.HOLDOUT_URI,) if name in own}
    tags = {tag_names.REFIT_OF: str(trained.version), **judged_on}
    origin = Origin(snapshot, trained.candidate, trained.params, record, tags)

    def fit() -> str:
        features = list(snapshot.features)
        model = fitted_model(pipeline, trained.candidate, trained.params, rows, features)
        return log_model(pipeline, model, rows[features], origin, settings, run_id=run_id)

    version = registered_version(pipeline, settings, run=run, key=key, origin=origin, fit=fit)
    tracking.end_run(settings, run_id)
    registry.describe_version(settings, pipeline.name, version, f"{name}: the same, fitted on all mature rows")
    return version, len(rows)


def _record(pipeline: Pipeline, refitted: Refitted, decision: Decision, settings: Settings) -> Entry:
    draft = Draft(decision.effective_at, ledger.payload_of(refitted))

    def make(entries: tuple[Entry, ...]) -> Entry | Draft:
        return History(entries).refit_of(decision.sequence or 0) or draft

    return ledger.append_once(settings, pipeline.name, kind="refitted", make=make, kinds=HISTORY_KINDS)
