"""Stage decide: judge the evaluated version, put the decision on record, show it in MLflow."""

import dataclasses
import json
import logging
from collections.abc import Sequence

from airloop.config import Pipeline
from airloop.deployment import Deployment
from airloop.gate import holdout_looks
from airloop.gate.checks import refuse
from airloop.gate.judge import REASON, judge
from airloop.models.current import require_current
from airloop.records import Check, Decision, Evaluated, Evidence, Window, run_context
from airloop.settings import Settings
from airloop.stores import ledger, training_reason
from airloop.stores.ledger import Entry, History
from airloop.stores.mlflow import registry, tag_names
from airloop.stores.training_reason import PROBE, PROVEN, NotAsked

logger = logging.getLogger(__name__)

_TAG_CHARACTERS = 5000


def decide(at: Deployment, window: Window, *, evaluated: Evaluated) -> Decision:
    """Judge the evaluated version and put the decision on record.

    Writes one `decision` entry (a repeated identical judgement adds none; a different one about the same version does),
    tags the version `airloop.decision`, `airloop.decision_why`, `airloop.decision_sequence`, `airloop.decision_hash`
    (of the ledger's entry), `airloop.evidence` (JSON), and points `challenger` at a version that passed, as long as
    this is the newest decision. Which rule of the comparison applies follows from the ledger (training_reason).

    Raises:
        GuardRefused: The ledger does not verify; evaluate has no record of this evaluation; or another champion is in
            force by now. Nothing is recorded then.
    """
    pipeline, settings = at.pipeline, at.settings
    history = ledger.require_intact(settings, pipeline.name)
    require_current(pipeline, window, evaluated, history, settings)
    reason, problems = _reason(pipeline, window, evaluated, settings)
    judged = judge(evaluated, pipeline.gate, reason=reason, problems=problems)
    overlaps = _trigger_overlaps(pipeline, evaluated, settings)
    judged = dataclasses.replace(judged, asked_by=run_context.current_starter(), trigger_overlaps=overlaps)
    entry = ledger.append_once(
        settings,
        pipeline.name,
        kind="decision",
        make=lambda entries: holdout_looks.recorded_or_new(judged, History(entries), pipeline),
        kinds=["decision"],
    )
    decision = dataclasses.replace(Decision.from_json(entry.payload), sequence=entry.sequence)
    _project(settings, decision, entry)
    where = f"ledger entry {entry.sequence}, hash {entry.hash}"
    logger.info("%s %s: version %d %s (%s)", pipeline.name, window, decision.version, decision.why, where)
    return decision


def _reason(
    pipeline: Pipeline, window: Window, evaluated: Evaluated, settings: Settings
) -> tuple[str, tuple[Check, ...]]:
    """The reason that counts, and what refuses when the one that is claimed does not."""
    try:
        request = training_reason.asked_for(
            settings,
            pipeline,
            window.end,
            reason=evaluated.reason,
            reason_key=evaluated.reason_key if evaluated.reason in PROVEN else "",
            version=evaluated.version,
        )
    except NotAsked as error:
        return "", (refuse(REASON, str(error)),)
    return request.reason, ()


def _trigger_overlaps(pipeline: Pipeline, evaluated: Evaluated, settings: Settings) -> bool | None:
    """Whether rows that the asking window was judged on are in the holdout; None when no window asked."""
    asking = ledger.entries(settings, pipeline.name, kind="triage", effective_at=evaluated.cutoff)
    mine = [entry for entry in asking if entry.payload.get("reason_key") == evaluated.reason_key]
    if evaluated.reason != PROBE or not mine:
        return None
    window, delay = Window.from_json(mine[-1].payload["window"]), pipeline.prediction.label_delay
    return window.start - delay < evaluated.holdout.end and evaluated.holdout.start < window.end - delay


def _project(settings: Settings, decision: Decision, entry: Entry) -> None:
    tags = {
        "airloop.decision": decision.outcome,
        "airloop.decision_why": decision.why[:_TAG_CHARACTERS],
        registry.DECISION_SEQUENCE: str(entry.sequence),
        registry.DECISION_HASH: entry.hash,
        tag_names.EVIDENCE: _evidence_text(decision.evidence),
    }
    registry.tag_version(settings, decision.model_name, decision.version, tags)
    registry.describe_version(settings, decision.model_name, decision.version, decision.why)
    history = ledger.history(settings, entry.pipeline)
    newest = history.latest("decision")
    champion = history.champion()
    in_force = champion is not None and history.judged(champion) == decision.version
    if newest is None or newest.sequence != decision.sequence or in_force:
        return
    if decision.passed:
        registry.set_alias(settings, decision.model_name, registry.CHALLENGER, decision.version)
    elif registry.aliases(settings, decision.model_name).get(registry.CHALLENGER) == decision.version:
        registry.delete_alias(settings, decision.model_name, registry.CHALLENGER)


def _evidence_text(evidence: Sequence[Evidence]) -> str:
    shown = [item.to_json() for item in evidence]
    while len(json.dumps(shown)) > _TAG_CHARACTERS:
        shown.pop()
    return json.dumps(shown)
