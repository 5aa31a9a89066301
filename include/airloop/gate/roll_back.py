"""roll_back: a former champion is in force again, from a data time on, because a person says so and why.

Windows that were scored keep their predictions, and the ledger keeps who was champion then: the past stays.
"""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from airloop.config import Pipeline
from airloop.config.calendar import period_end, period_start
from airloop.deployment import Deployment
from airloop.errors import ConfigError, DataContractError, GuardRefused
from airloop.gate import approval, lock
from airloop.gate.fresh_process import check_model
from airloop.models import model_version
from airloop.records import RolledBack, Window
from airloop.records.person_texts import require_reason, require_text
from airloop.settings import Settings
from airloop.stores import ledger, ledger_witness
from airloop.stores.ledger import HISTORY_KINDS, Draft, Entry, History
from airloop.stores.mlflow import registry

logger = logging.getLogger(__name__)

ROLLED_BACK = "airloop.rolled_back"

_TAG_CHARACTERS = 5000


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
            f"{_listed(history)}). Train and promote another, or stop promotions by `airloop lock`"
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
    payload = {"model_name": pipeline.name, "version": target, "previous_version": replaced}
    payload |= {"why": reason, "who": who, "request": request}
    if _begun(history, payload, window) is None:
        _refuse_ahead(pipeline, window.end)
        payload |= {"model_digest": _checked(pipeline, target, history, settings)}
    draft = Draft(window.end, payload)
    intended = ledger.append_once(
        settings,
        pipeline.name,
        kind="intended",
        make=lambda entries: _begun(History(entries), payload, window) or draft,
        kinds=HISTORY_KINDS,
    )
    ended = registry.finish_move(settings, intended)
    _tag_replaced(settings, ended)
    logger.warning("%s: rolled back to version %d by %s (%s)", pipeline.name, target, who, reason)
    known = {name: ended.payload[name] for name in RolledBack.__dataclass_fields__ if name in ended.payload}
    return RolledBack(**known, sequence=ended.sequence, effective_at=ended.effective_at)


def _begun(history: History, payload: dict[str, Any], window: Window) -> Entry | None:
    """The `intended` entry of this request, or None when it may begin now."""
    mine = history.rollback_of(payload["request"])
    if mine is not None:
        return mine
    lock.refuse_move(history)
    target, replaced, newest = payload["version"], payload["previous_version"], history.in_force()
    if target not in history.promoted():
        raise GuardRefused(
            f"version {target} was never champion (promoted: {_listed(history)}): a rollback goes back to what was"
        )
    if target == history.champion():
        raise GuardRefused(f"version {target} is the champion in force: there is nothing to roll back")
    if newest is None or history.champion() != replaced:
        raise GuardRefused(
            f"version {history.champion()} is in force meanwhile, not {replaced}: look again (`airloop ledger show`) "
            "and ask for the version by its number"
        )
    if newest.effective_at > window.end:
        raise GuardRefused(
            f"champion {replaced} is in force from {newest.effective_at:%Y-%m-%d} on, later than "
            f"{window.end:%Y-%m-%d}: history is not rewritten"
        )
    return None


def _refuse_ahead(pipeline: Pipeline, effective_at: datetime) -> None:
    """Refuse an instant that no data has reached: until then nothing could be promoted, nor rolled back before it."""
    latest = period_end(pipeline.calendar, period_start(pipeline.calendar, datetime.now(UTC)))
    latest = min(latest, pipeline.coverage.end or latest)
    if effective_at > latest:
        raise DataContractError(
            f"a rollback cannot take effect at {effective_at:%Y-%m-%dT%H:%MZ}: the latest is {latest:%Y-%m-%dT%H:%MZ}, "
            f"the end of the coverage of {pipeline.name} or of its {pipeline.calendar} window that holds now"
        )


def _checked(pipeline: Pipeline, version: int, history: History, settings: Settings) -> str:
    """The digest of a version's files, after it loaded and predicted, and its features and labels were the same."""
    try:
        model = model_version.load_version(pipeline, version, settings)
        unfit = model.unfit_for(pipeline, settings)
        # With its features pinned it scores on by them.
        if unfit and (model.pinned is None or model.pinned.not_kept):
            raise GuardRefused(unfit[0])
        if other := model_version.other_labels(pipeline, model, settings):
            raise GuardRefused(other)
        return check_model(settings, pipeline.name, version, reviewed=pipeline.training.reviewed_types)
    except GuardRefused as error:
        raise GuardRefused(
            f"{error}; choose another version by --to (promoted: {_listed(history)}), or run a training, which the "
            "gate judges by floors only when the champion cannot be compared"
        ) from error


def _tag_replaced(settings: Settings, ended: Entry) -> None:
    """Say on the version that was replaced why it was; one that is gone cannot be told."""
    name, replaced = ended.payload["model_name"], ended.payload["previous_version"]
    if registry.is_registered(settings, name, replaced):
        registry.tag_version(settings, name, replaced, {ROLLED_BACK: ended.payload["why"][:_TAG_CHARACTERS]})


def _listed(history: History) -> str:
    return ", ".join(map(str, sorted(history.promoted()))) or "none"


def _number(version: int | str) -> int:
    try:
        return int(version)
    except ValueError as error:
        raise ConfigError(f"version {version!r} is not a number: `airloop ledger show` lists them") from error
