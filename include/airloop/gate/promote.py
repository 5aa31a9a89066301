"""Promotion: the alias `champion` follows a decision that passed. There is no force flag."""

import logging
from datetime import datetime
from typing import Any

from airloop.config import Pipeline
from airloop.deployment import Deployment
from airloop.errors import GuardRefused
from airloop.gate import approval, lock, shadowing
from airloop.gate.fresh_process import check_model
from airloop.records import Decision, Promoted, Window
from airloop.settings import Settings
from airloop.stores import ledger, ledger_witness
from airloop.stores.ledger import HISTORY_KINDS, Draft, Entry, History
from airloop.stores.mlflow import registry

logger = logging.getLogger(__name__)


def promote(at: Deployment, window: Window, *, decision: Decision) -> Promoted:
    """Put a version that passed in force for windows that start at or after the decision's `effective_at`.

    Where the stage refit recorded a refit of it, that one goes into force (`refit_of` in record and ledger). Appends
    `intended`, moves the alias, appends `done`. A second call returns the same record and changes nothing;
    after a kill at any point a second call, or `reconcile`, completes it.

    Raises:
        GuardRefused: The decision did not pass, is not in the ledger as given and as decide recorded it, one of its
            checks did not pass, or it was superseded, or MLflow's version names another one; the champion is no longer
            the one it was judged against; a promotion with a later `effective_at` happened; another promotion or a
            rollback is unfinished; promotions are locked (airloop.gate.lock); a person has to approve it and none did
            (airloop.gate.approval); the rule `shadowed` waits for live traffic or was not kept on it
            (airloop.gate.shadowing); the ledger does not verify; the model's files are gone or are not those that were
            judged, or it does not load and predict in a fresh process.
        UpstreamUnavailable: MLflow does not answer, or the check takes longer than 300 s.
    """
    pipeline, settings = at.pipeline, at.settings
    history = ledger_witness.require_intact(settings, pipeline.name)
    recorded = _require_recorded(settings, history, decision)
    ledger_witness.refuse_other_decision(settings, recorded)
    version, model_digest = _goes_in_force(settings, history, recorded, decision)
    scored = approval.scored_until(pipeline, settings)
    if _begun(pipeline, history, recorded, scored) is None:
        shadowing.require(pipeline, settings, recorded)
        reviewed = pipeline.training.reviewed_types
        model_digest = check_model(settings, decision.model_name, version, digest=model_digest, reviewed=reviewed)
    draft = _intention(decision, recorded, version, model_digest)
    intended = ledger.append_once(
        settings,
        pipeline.name,
        kind="intended",
        make=lambda entries: _begun(pipeline, History(entries), recorded, scored) or draft,
        kinds=HISTORY_KINDS,
    )
    done = registry.finish_move(settings, intended)
    where = f"ledger entry {done.sequence}, hash {done.hash}"
    logger.info("%s %s: version %d promoted (%s)", pipeline.name, window, done.payload["version"], where)
    return Promoted(
        model_name=decision.model_name,
        version=int(done.payload["version"]),
        previous_version=decision.champion_version,
        decision_sequence=recorded.sequence,
        sequence=done.sequence,
        effective_at=done.effective_at,
        model_digest=str(done.payload.get("model_digest", "")),
        refit_of=done.payload.get("refit_of"),
    )


def _intention(decision: Decision, recorded: Entry, version: int, model_digest: str) -> Draft:
    """What `intended` says: `version` goes into force by this decision."""
    return Draft(
        decision.effective_at,
        {
            "model_name": decision.model_name,
            "version": version,
            "previous_version": decision.champion_version,
            "decision_sequence": recorded.sequence,
            "model_digest": model_digest,
            "refit_of": None if version == decision.version else decision.version,
        },
    )


def _goes_in_force(settings: Settings, history: History, recorded: Entry, decision: Decision) -> tuple[int, str]:
    """Version and digest of what the decision puts in force: what `refit` has on record, else the judged version.

    Raises:
        GuardRefused: The entry of a refit was not made by the stage refit.
    """
    entry = history.refit_of(recorded.sequence)
    if entry is None:
        return decision.version, decision.model_digest
    if not ledger.on_record(settings, entry):
        raise GuardRefused(f"entry {entry.sequence} on the refit of version {decision.version} was not made by refit")
    return int(entry.payload["version"]), str(entry.payload["model_digest"])


def _require_recorded(settings: Settings, history: History, decision: Decision) -> Entry:
    """The ledger's entry of a decision that may be acted on."""
    version = decision.version
    if not decision.passed:
        raise GuardRefused(f"version {version} was not passed by the gate: {decision.why}")
    recorded = history.decision(decision.sequence or 0)
    if recorded is None or _judged(recorded) != ledger.payload_of(decision):
        raise GuardRefused(f"the ledger holds no such decision on version {version}: run decide")
    if not ledger.passes(recorded):
        raise GuardRefused(
            f"decision {recorded.sequence} on version {version} has checks that did not pass: run decide"
        )
    newest = history.newest_decision_on(version)
    if newest is not None and newest != recorded:
        raise GuardRefused(f"version {version} was judged again: {newest.payload['why']}")
    if not ledger.on_record(settings, recorded):
        raise GuardRefused(f"decision {recorded.sequence} on version {version} was not made by decide: run decide")
    return recorded


def _judged(entry: Entry) -> dict[str, Any]:
    """A recorded decision's payload, with the fields that an older airloop did not write."""
    return ledger.payload_of(Decision.from_json(entry.payload))


def _begun(pipeline: Pipeline, history: History, decision: Entry, scored: datetime) -> Entry | None:
    """The `intended` entry of this decision, or None when a promotion may begin now.

    Raises:
        GuardRefused: See `promote`.
    """
    mine = history.intended_of(decision.sequence)
    if mine is not None:
        return mine
    lock.refuse_move(history)
    lock.refuse_promotion(history)
    version, judged_against = decision.payload["version"], decision.payload["champion_version"]
    if (rollback := history.taken_back(version)) is not None:
        raise GuardRefused(
            f"version {version} was taken back, ledger entry {rollback.sequence} ({rollback.payload['why']}): train "
            f"another, or airloop rollback {pipeline.name} --to {rollback.payload['previous_version']} --why '...'"
        )
    newest = history.in_force()
    if history.champion() != judged_against:
        raise GuardRefused(
            f"version {version} was judged against {_named(judged_against)}, but "
            f"{_named(history.champion())} is in force meanwhile: evaluate and decide again"
        )
    if newest is not None and newest.effective_at > decision.effective_at:
        raise GuardRefused(
            f"version {history.champion()} is in force from {newest.effective_at:%Y-%m-%d} on, later than this "
            f"decision's {decision.effective_at:%Y-%m-%d}: history is not rewritten"
        )
    approval.refuse_unapproved(pipeline, history, decision, scored)
    return None


def _named(version: int | None) -> str:
    return "no champion" if version is None else f"champion {version}"
