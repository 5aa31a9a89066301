"""What a card says, as JSON: put together of records and the ledger whenever it is asked for, so that it is current."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from airloop.config import Pipeline
from airloop.errors import GuardRefused
from airloop.reports.card import limits
from airloop.reports.card.features import listed_features
from airloop.settings import Settings
from airloop.stores import ledger, state
from airloop.stores.ledger import TAKES_BACK, Entry, History, promises

FORMAT = "airloop model card 1"
_STAGES = ("snapshot", "train", "evaluate", "describe")
_TOLD = (
    "trained",
    "decision",
    "refitted",
    "approved",
    "rejected",
    "superseded",
    "shadowed",
    "done",
    "rolled_back",
    "not_taken_back",
    promises.MEASURED,
)
_WORDS = {"done": "promoted", "rolled_back": "rolled back to"}
_NEEDS_VERSION = "airloop ledger show"

Records = dict[str, dict[str, Any]]


def content(
    pipeline: Pipeline,
    version: int,
    settings: Settings,
    *,
    catalogue: Mapping[str, Any] | None = None,
    measured: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The card of a version: of a refit that of the version that was judged, and what came of both.

    Args:
        catalogue: Of the features (airloop.features.catalogue): who owns them and what they are.
        measured: What stage describe measured; what it has on record unless given.

    Raises:
        GuardRefused: No such version was trained here.
        UpstreamUnavailable: The state database does not answer.
    """
    history = _history(settings, pipeline.name)
    judged = history.judged(version)
    records = _records(settings, pipeline.name, judged)
    entries = _about(ledger.entries(settings, pipeline.name, kinds=_TOLD), {version, judged})
    if "train" not in records and not entries:
        raise GuardRefused(
            f"{pipeline.name} has no version {version} that was trained here: `{_NEEDS_VERSION} {pipeline.name}` names "
            "the versions"
        )
    by_stage = {**records, "measured": dict(measured or records.get("describe", {}).get("measured", {}))}
    decision = next((entry for entry in reversed(entries) if entry.kind == "decision"), None)
    card = {
        "format": FORMAT,
        "pipeline": _purpose(pipeline),
        "version": _version(pipeline, version, judged, by_stage, history),
        "data": _data(by_stage),
        "features": listed_features(by_stage.get("snapshot", {}), catalogue or {}),
        "metrics": by_stage["measured"].get("metrics") or _plain_metrics(pipeline, by_stage),
        "evidence": list((decision.payload if decision else {}).get("evidence") or ()),
        "checks": list((decision.payload if decision else {}).get("checks") or ()),
        "rules": by_stage.get("evaluate", {}).get("measured", {}),
        "slices": by_stage["measured"].get("slices", []),
        "calibration": by_stage["measured"].get("calibration"),
        "importance": by_stage["measured"].get("importance", []),
        "answering": by_stage["measured"].get("answering", ""),
        "served_by": by_stage["measured"].get("served_by"),
        "after_promotion": _after_promotion(entries),
        "history": [_told(entry) for entry in entries],
        "taken_back": _taken_back(history, version),
    }
    return card | {"limits": list(limits.of(pipeline, card, decision))}


def _history(settings: Settings, name: str) -> History:
    """Of the entries that say which version they are about: a card is also made of a ledger that does not verify."""
    entries = ledger.entries(settings, name, kinds=ledger.HISTORY_KINDS)
    return History(tuple(entry for entry in entries if isinstance(entry.payload.get("version"), int)))


def _records(settings: Settings, name: str, version: int) -> Records:
    """The newest record of each stage about a version; of its snapshot by the digest."""
    records: Records = {}
    for stage in _STAGES[1:]:
        for record in state.latest_records(settings, name, stage):
            if record.get("version") == version:
                records[stage] = record
    digest = records.get("train", {}).get("snapshot_digest")
    for record in state.latest_records(settings, name, "snapshot"):
        if record.get("digest") == digest:
            records["snapshot"] = record
    return records


def _about(entries: Sequence[Entry], versions: set[int]) -> list[Entry]:
    return [entry for entry in entries if versions & set(_versions_in(entry.payload))]


def _versions_in(payload: Mapping[str, Any]) -> Iterator[Any]:
    yield payload.get("version")
    yield payload.get("judged_version")
    yield payload.get("refit_of")
    if TAKES_BACK in payload:
        yield payload.get("previous_version")


def _purpose(pipeline: Pipeline) -> dict[str, Any]:
    return {
        "name": pipeline.name,
        "purpose": pipeline.description,
        "owner": pipeline.owner,
        "channel": pipeline.channel,
        "approvers": list(pipeline.approval.by),
        "task": pipeline.prediction.task,
        "lead_minutes": pipeline.prediction.lead_minutes,
        "label_delay_hours": pipeline.prediction.label_delay.total_seconds() / 3600,
        "tags": list(pipeline.tags),
    }


def _version(pipeline: Pipeline, version: int, judged: int, by_stage: Records, history: History) -> dict[str, Any]:
    trained = by_stage.get("train", {})
    declared = pipeline.training.candidates.get(trained.get("candidate", ""))
    return {
        "number": version,
        "judged": judged,
        "state": _state(version, judged, history),
        "candidate": trained.get("candidate", "unknown"),
        "estimator": declared.estimator if declared else "",
        "params": trained.get("params", {}),
        "model_digest": trained.get("model_digest", ""),
        "run_id": trained.get("run_id", ""),
        "experiment_id": trained.get("experiment_id", ""),
    }


def _state(version: int, judged: int, history: History) -> str:
    if history.champion() in (version, judged):
        return "champion"
    if {version, judged} & history.promoted():
        return "former champion"
    if judged in history.challengers():
        return "challenger"
    decision = history.newest_decision_on(judged)
    return str(decision.payload.get("outcome")) if decision else "candidate"


def _data(by_stage: Records) -> dict[str, Any]:
    """What is recorded of the training set; empty when nothing is."""
    names = ("cutoff", "train", "holdout", "train_rows", "holdout_rows", "unlabelled_rows", "digest", "uri")
    more = ("feature_service", "feature_fingerprint", "reason", "reason_key")
    snapshot = by_stage.get("snapshot", {})
    if not snapshot:
        return {}
    lists = {"leak_checked": snapshot.get("leak_checked") or [], "table_versions": snapshot.get("table_versions") or {}}
    return {name: snapshot.get(name) for name in (*names, *more)} | lists


def _plain_metrics(pipeline: Pipeline, by_stage: Records) -> list[dict[str, Any]]:
    """Without intervals, before describe has measured them."""
    values = by_stage.get("evaluate", {}).get("metrics", {})
    return [{"metric": name, "value": values[name]} for name in pipeline.metrics if values.get(name) is not None]


def _after_promotion(entries: Sequence[Entry]) -> dict[str, Any] | None:
    newest = [entry for entry in entries if entry.kind == promises.MEASURED]
    if not newest:
        return None
    payload = newest[-1].payload
    return {name: payload.get(name) for name in ("verdict", "why", "evidence", "promised", "days", "previous")}


def _taken_back(history: History, version: int) -> str:
    """Why probation took the version, or the other one of it and its refit, back; empty where it did not."""
    entry = history.taken_back(version)
    return "" if entry is None else str(entry.payload["why"])


def _told(entry: Entry) -> dict[str, Any]:
    payload = entry.payload
    return {
        "sequence": entry.sequence,
        "kind": entry.kind,
        "version": payload.get("version"),
        "outcome": payload.get("outcome") or payload.get("verdict") or _WORDS.get(entry.kind, entry.kind),
        "who": payload.get("who") or payload.get("asked_by") or "",
        "why": payload.get("why") or "",
        "effective_at": entry.to_json()["effective_at"],
        "recorded_at": entry.to_json()["recorded_at"],
        "hash": entry.hash,
    }
