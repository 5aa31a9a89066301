"""Why a training is asked for: one place that says whether the reason counts, and whether it was answered.

`probe` and `growth` open the milder rule of a gate. Each counts only when the ledger holds the triage that asks for it:
of a window that ends at this cutoff, about the champion that is in force there, as triage recorded it, and not answered
yet. No record, Param or option opens that rule by claiming it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from airloop.config import Pipeline
from airloop.config.nearest import nearest
from airloop.errors import ConfigError, GuardRefused
from airloop.records import REASONS
from airloop.settings import Settings
from airloop.stores import claims, ledger
from airloop.stores.ledger import Entry, History

PROBE = "probe"
PROVEN = (PROBE, "growth")
"""Reasons that count only where triage has them on record."""


class NotAsked(GuardRefused):
    """Nobody asked for this training, or it was answered; the message names what a person may do instead."""


class AskedAlready(GuardRefused):
    """Another run answers, or answered, this reason."""


@dataclass(frozen=True)
class TrainingRequest:
    """A reason that counts.

    Attributes:
        evidence: JSON of the evidence on which triage asked; empty unless it did.
        sequence: The number of triage's entry; None unless it asked.
    """

    reason: str
    reason_key: str
    evidence: tuple[dict[str, Any], ...] = ()
    sequence: int | None = None


def asked_for(
    settings: Settings,
    pipeline: Pipeline,
    cutoff: datetime,
    *,
    reason: str,
    reason_key: str = "",
    version: int | None = None,
) -> TrainingRequest:
    """The reason of a training up to a cutoff, proven by the ledger when it is one of PROVEN.

    Args:
        reason_key: What asked. Of one of PROVEN it may be empty: the ledger knows it.
        version: The version this training made, once there is one; it does not stand in its own way.

    Raises:
        ConfigError: An unknown reason: none of REASONS, and the gate has no rule for it.
        NotAsked: One of PROVEN that triage did not ask for, or that was answered; a key of it under another reason.
        GuardRefused: The ledger does not verify.
    """
    known = [*REASONS, *(name for name in pipeline.gate.compare.rule if name not in (*REASONS, "default"))]
    if reason not in known:
        raise ConfigError(f"{reason!r} is not a reason{nearest(reason, known)} (reasons: {', '.join(known)})")
    if reason not in PROVEN:
        if reason_key.partition(":")[0] in PROVEN:
            raise NotAsked(f"reason_key {reason_key!r} belongs to monitoring: leave it out, or name another one")
        return TrainingRequest(reason, reason_key or f"{reason}:{cutoff:%Y-%m-%dT%H:%MZ}")
    history = ledger.intact_history(settings, pipeline.name)
    champion = history.champion(cutoff, but_not=version)
    asking = _asking(settings, pipeline.name, cutoff, champion)
    problem = _problem(settings, history, asking, request=TrainingRequest(reason, reason_key), version=version)
    if asking is None or problem:
        raise NotAsked(
            f"reason {reason} does not count for cutoff {cutoff:%Y-%m-%dT%H:%MZ} and "
            f"{'no champion' if champion is None else f'champion {champion}'}: {problem}; "
            "a person may train with reason=hand"
        )
    payload = asking.payload
    return TrainingRequest(reason, payload["reason_key"], tuple(payload["evidence"]), asking.sequence)


def answered_by(history: History, reason_key: str, *, but_not: int | None = None) -> Entry | None:
    """The decision that answered a reason: on whatever version but one, and about the model, not about an obstacle."""
    return next(
        (
            entry
            for entry in history.of("decision")
            if entry.payload.get("reason_key") == reason_key
            and entry.payload["version"] != but_not
            and not entry.payload.get("outside_model", False)
        ),
        None,
    )


def claim(
    settings: Settings, pipeline_name: str, request: TrainingRequest, *, run_key: str, is_over: Callable[[str], bool]
) -> None:
    """Let exactly one run answer a reason.

    A run may claim again what it claimed (a retry). What another run claimed may be claimed once that run is over and
    left no decision about the model: it died, was cancelled, or met an obstacle that says nothing about the model.

    Args:
        is_over: Whether a run, named by its key, will do nothing more.

    Raises:
        AskedAlready: Another run answers or answered this reason.
    """
    if claims.claim_reason(settings, pipeline_name, reason_key=request.reason_key, run_key=run_key):
        return
    owner = claims.reason_owner(settings, pipeline_name, request.reason_key)
    answered = answered_by(ledger.history(settings, pipeline_name), request.reason_key)
    if owner is not None and answered is None and is_over(owner):
        took_over = claims.take_over_reason(
            settings, pipeline_name, reason_key=request.reason_key, from_run=owner, run_key=run_key
        )
        if took_over:
            return
    raise AskedAlready(f"reason {request.reason_key!r} is answered by run {owner!r}; nothing is trained here")


def _asking(settings: Settings, pipeline_name: str, cutoff: datetime, champion: int | None) -> Entry | None:
    """The newest triage of a window that ends at the cutoff; of this champion when there is one."""
    entries = ledger.entries(settings, pipeline_name, kind="triage", effective_at=cutoff)
    own = [entry for entry in entries if entry.payload.get("version") == champion]
    return next(iter(reversed(own or entries)), None)


def _problem(
    settings: Settings, history: History, asking: Entry | None, *, request: TrainingRequest, version: int | None
) -> str:
    """Why a triage asks for nothing here; empty when it asks."""
    if asking is None:
        return "the ledger has no triage of a window that ends there"
    payload, named = asking.payload, f"triage (ledger entry {asking.sequence})"
    if payload.get("version") != history.champion(asking.effective_at, but_not=version):
        return f"{named} is about champion {payload.get('version')}"
    if payload.get("kind") != "retrain":
        return f"{named} says {payload.get('kind')!r}"
    reason = payload.get("reason") or PROBE
    if reason != request.reason:
        return f"{named} asked by reason {reason!r}"
    if request.reason_key not in ("", payload["reason_key"]):
        return f"{named} asked by the key {payload['reason_key']!r}, not {request.reason_key!r}"
    if not ledger.on_record(settings, asking):
        return f"{named} is not what triage has on record"
    answered = answered_by(history, payload["reason_key"], but_not=version)
    if answered is not None:
        return f"{named} was answered by decision {answered.sequence} on version {answered.payload['version']}"
    return ""
