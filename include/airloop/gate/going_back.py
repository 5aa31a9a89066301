"""The way back to a former champion: what is asked of it, and `intended`, the alias, `rolled_back`.

A person's rollback goes it (airloop.gate.roll_back), and probation (airloop.gate.take_back).
"""

from datetime import UTC, datetime
from typing import Any

from airloop.config import Pipeline
from airloop.config.calendar import period_end, period_start
from airloop.errors import DataContractError, GuardRefused
from airloop.gate import lock
from airloop.gate.fresh_process import check_model
from airloop.models import model_version
from airloop.records import Window
from airloop.settings import Settings
from airloop.stores import ledger
from airloop.stores.ledger import HISTORY_KINDS, TAKES_BACK, Draft, Entry, History
from airloop.stores.mlflow import registry

ROLLED_BACK = "airloop.rolled_back"

_TAG_CHARACTERS = 5000


def go_back(
    pipeline: Pipeline, settings: Settings, window: Window, *, history: History, payload: dict[str, Any]
) -> Entry:
    """Put a former champion in force for windows that start at or after window.end; returns `rolled_back`.

    A second call for the same request changes nothing; after a kill at any point a second call, or `reconcile`,
    completes it.

    Args:
        history: It verified.
        payload: version, previous_version, why, who and request of the entry; with `takes_back`, the number of a
            promotion, it is probation that asks.

    Raises:
        DataContractError: window.end lies after the coverage, or after the calendar's window that holds now.
        GuardRefused: The version was never champion or is champion now; another champion is in force than
            previous_version; a promotion or another rollback is unfinished; it does not load, its files changed, or its
            features or labels mean something else now. Of probation also: promotions are locked, or the promotion is
            not what put the champion in force.
        UpstreamUnavailable: MLflow does not answer.
    """
    payload = {"model_name": pipeline.name, **payload}
    if _begun(history, payload, window) is None:
        _refuse_ahead(pipeline, window.end)
        payload |= {"model_digest": checked(pipeline, payload["version"], history, settings)}
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
    return ended


def _refuse_against_a_person(history: History, promotion: int) -> None:
    """Refuse what probation asks where somebody locked promotions, or moved the champion since the promotion."""
    lock.refuse_promotion(history)
    newest = history.in_force()
    if newest is None or newest.sequence != promotion:
        since = "nothing" if newest is None else f"version {newest.payload['version']} by entry {newest.sequence}"
        raise GuardRefused(f"{since} is in force meanwhile, not what the promotion of entry {promotion} put there")


def _begun(history: History, payload: dict[str, Any], window: Window) -> Entry | None:
    """The `intended` entry of this request, or None when it may begin now."""
    mine = history.rollback_of(payload["request"])
    if mine is not None:
        return mine
    if TAKES_BACK in payload:
        _refuse_against_a_person(history, payload[TAKES_BACK])
    lock.refuse_move(history)
    target, replaced, newest = payload["version"], payload["previous_version"], history.in_force()
    if target not in history.promoted():
        raise GuardRefused(
            f"version {target} was never champion (promoted: {listed(history)}): a rollback goes back to what was"
        )
    if newest is None or history.champion() != replaced:
        raise GuardRefused(
            f"version {history.champion()} is in force meanwhile, not {replaced}: look again (`airloop ledger show`) "
            "and ask for the version by its number"
        )
    if target == history.champion():
        raise GuardRefused(f"version {target} is the champion in force: there is nothing to roll back")
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


def checked(pipeline: Pipeline, version: int, history: History, settings: Settings) -> str:
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
            f"{error}; choose another version by --to (promoted: {listed(history)}), or run a training, which the "
            "gate judges by floors only when the champion cannot be compared"
        ) from error


def listed(history: History) -> str:
    """The versions that were champion at some time, for a sentence."""
    return ", ".join(map(str, sorted(history.promoted()))) or "none"


def _tag_replaced(settings: Settings, ended: Entry) -> None:
    """Say on the version that was replaced why it was; one that is gone cannot be told."""
    name, replaced = ended.payload["model_name"], ended.payload["previous_version"]
    if registry.is_registered(settings, name, replaced):
        registry.tag_version(settings, name, replaced, {ROLLED_BACK: ended.payload["why"][:_TAG_CHARACTERS]})
