"""roll_back: a former champion is in force again, from a data time on, because a person says so and why.

Windows that were scored keep their predictions, and the ledger keeps who was champion then: the past stays.
"""

import logging
from dataclasses import dataclass
from datetime import datetime

from airloop.config import Pipeline
from airloop.deployment import Deployment
from airloop.errors import ConfigError, DataContractError, GuardRefused
from airloop.gate import approval, going_back
from airloop.records import RolledBack, Window
from airloop.records.person_texts import require_reason, require_text
from airloop.settings import Settings
from airloop.stores import ledger, ledger_witness

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plan:
    """What a request comes to: `version` in place of `instead_of`, over `window` (coverage.start to effective_at)."""

    version: int
    instead_of: int
    window: Window


def plan(
    pipeline: Pipeline, settings: Settings, *, request: str, version: int | None = None, since: datetime | None = None
) -> Plan:
    """What a request to roll back means now, or meant when it was begun: a retry goes back once.

    Args:
        request: Key of the request.
        version: A version that was champion; the one before the champion in force unless given.
        since: Data time it takes effect; the end of the newest window that was scored unless given, and never before
            the champion in force took effect.

    Raises:
        GuardRefused: There is no champion, none before it, or the ledger does not verify.
        DataContractError: `since` lies before the champion in force took effect.
    """
    history = ledger.intact_history(settings, pipeline.name)
    begun = history.rollback_of(request)
    if begun is not None:
        window = Window(pipeline.coverage.start, begun.effective_at)
        return Plan(begun.payload["version"], begun.payload["previous_version"], window)
    champion = history.in_force()
    if champion is None:
        raise GuardRefused(f"{pipeline.name} has no champion: nothing was ever promoted, there is nothing to roll back")
    current = int(champion.payload["version"])
    target = version if version is not None else history.champion_before(current)
    if target is None:
        raise GuardRefused(
            f"version {current} is the first champion of {pipeline.name}: there is none before it (promoted: "
            f"{going_back.listed(history)}). Train and promote another, or stop promotions by `airloop lock`"
        )
    at = since or max(champion.effective_at, approval.scored_until(pipeline, settings))
    if at < champion.effective_at:
        raise DataContractError(
            f"champion {current} is in force from {champion.effective_at:%Y-%m-%dT%H:%MZ} on: a rollback cannot take "
            f"effect before that, at {at:%Y-%m-%dT%H:%MZ}; history is not rewritten"
        )
    return Plan(target, current, Window(pipeline.coverage.start, at))


def roll_back(
    at: Deployment,
    window: Window,
    *,
    version: int | str,
    instead_of: int | str,
    why: str,
    who: str,
    request: str,
) -> RolledBack:
    """Put a former champion in force for windows that start at or after window.end, and lock promotions.

    It loads and predicts in a fresh process first, with the files it was judged with, and its features must mean what
    they meant or be pinned. Then `intended` is appended, the alias moves, `rolled_back` is appended, which locks
    promotions. A second call for the same request returns the same record and changes nothing; after a kill at any
    point a second call, or `reconcile`, completes it.

    Args:
        instead_of: The champion that whoever asks has seen: two requests at once go back one step, not two.

    Raises:
        ConfigError: No reason, or a version that is not a number.
        DataContractError: window.end lies after the coverage, or after the calendar's window that holds now.
        GuardRefused: It was never champion or is champion now; another champion is in force than `instead_of`; a
            promotion or another rollback is unfinished; it does not load, its files changed, or its features mean
            something else now; the ledger does not verify.
        UpstreamUnavailable: MLflow does not answer.
    """
    pipeline, settings = at.pipeline, at.settings
    target, replaced = _number(version), _number(instead_of)
    reason = require_reason(why, "--why 'version 4 predicts nonsense for the new terminal'")
    require_text(who, "the name of who decides")
    history = ledger_witness.require_intact(settings, pipeline.name)
    payload = {"version": target, "previous_version": replaced, "why": reason, "who": who, "request": request}
    ended = going_back.go_back(pipeline, settings, window, history=history, payload=payload)
    logger.warning("%s: rolled back to version %d by %s (%s)", pipeline.name, target, who, reason)
    known = {name: ended.payload[name] for name in RolledBack.__dataclass_fields__ if name in ended.payload}
    return RolledBack(**known, sequence=ended.sequence, effective_at=ended.effective_at)


def _number(version: int | str) -> int:
    try:
        return int(version)
    except ValueError as error:
        raise ConfigError(f"version {version!r} is not a number: `airloop ledger show` lists them") from error
