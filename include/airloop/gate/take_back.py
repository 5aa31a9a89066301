"""take_back: the version that a promotion replaced is in force again, because the first rows after it showed a loss.

Probation (`gate.probation`). A person's word goes first: a lock, a rollback or a later promotion keeps everything as it
is. Promotions are not locked by it; what was taken back is not promoted again (airloop.gate.promote).
"""

import logging

from airloop.config import Pipeline
from airloop.deployment import Deployment
from airloop.errors import GuardRefused
from airloop.gate import going_back
from airloop.records import TAKE_BACK, Action, AfterPromotion, Monitored, TakenBack, Window
from airloop.settings import Settings
from airloop.stores import ledger, ledger_witness
from airloop.stores.ledger import TAKES_BACK, Draft, promises

logger = logging.getLogger(__name__)

WHO = "probation"


def take_back(at: Deployment, window: Window, *, monitored: Monitored, action: Action) -> TakenBack:
    """Do what triage decided: the version before is in force for windows that start at or after the look's end.

    What a person's rollback asks of a version is asked of it, too. Where it cannot take over, or a person or a later
    promotion was faster, the champion stays: one entry `not_taken_back` says why, and the stage is done. The request is
    the promotion's number: a second call, or two at once, go back once.

    Raises:
        GuardRefused: `gate.probation` is not declared, triage did not ask for it as the ledger holds it, the look
            measured no loss, or the ledger does not verify.
        DataContractError: window.end lies after the coverage, or after the calendar's window that holds now.
        UpstreamUnavailable: MLflow does not answer.
    """
    pipeline, settings = at.pipeline, at.settings
    history = ledger_witness.require_intact(settings, pipeline.name)
    after = _require_asked(pipeline, monitored, action, settings)
    payload = {"version": after.previous, "previous_version": after.version, "why": action.why, "who": WHO}
    payload |= {"request": f"probation of {after.promotion}", TAKES_BACK: after.promotion}
    payload |= {"evidence": [item.to_json() for item in after.evidence]}
    try:
        ended = going_back.go_back(pipeline, settings, window, history=history, payload=payload)
    except GuardRefused as error:
        return _stays(pipeline, window, after, str(error), settings)
    logger.warning("%s: version %d again: %s", pipeline.name, after.previous, action.why)
    return TakenBack(after.previous, after.version, after.promotion, action.why, ended.effective_at, ended.sequence)


def _require_asked(pipeline: Pipeline, monitored: Monitored, action: Action, settings: Settings) -> AfterPromotion:
    """What the look measured, where triage asked to take the promotion back and has that on record."""
    if pipeline.gate.probation is None:
        raise GuardRefused(f"gate.probation is not declared for {pipeline.name}: a person decides (airloop rollback)")
    outcomes = ledger.entries(settings, pipeline.name, kind="triage", effective_at=monitored.window.end)
    entry = next((item for item in outcomes if item.sequence == action.sequence), None)
    if action.kind != TAKE_BACK or entry is None or not ledger.on_record(settings, entry):
        raise GuardRefused(f"triage of {monitored.window} did not ask to take a promotion back: run triage")
    after = monitored.after_promotion
    if after is None or promises.loss(after.evidence, pipeline.gate.compare.metric) is None:
        raise GuardRefused(f"the look of {monitored.window} measured no loss of version {monitored.version}")
    return after


def _stays(pipeline: Pipeline, window: Window, after: AfterPromotion, why: str, settings: Settings) -> TakenBack:
    """Say once that the version stays though it lost."""
    says = f"version {after.version} stays though it lost against version {after.previous}: {why}"
    payload = {"version": after.version, "previous_version": after.previous, TAKES_BACK: after.promotion, "why": says}
    draft = Draft(window.end, payload)
    entry = ledger.append_once(
        settings,
        pipeline.name,
        kind="not_taken_back",
        make=lambda known: next((item for item in known if item.payload == payload), draft),
        kinds=["not_taken_back"],
    )
    logger.error("%s: %s (ledger entry %d)", pipeline.name, says, entry.sequence)
    return TakenBack(after.version, after.version, after.promotion, says, entry.effective_at)
