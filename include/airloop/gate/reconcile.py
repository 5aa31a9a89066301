"""Make MLflow's `champion` alias what the ledger says, whatever was killed half-way or moved by hand."""

import logging
from typing import Any

from airloop.errors import GuardRefused
from airloop.settings import Settings
from airloop.stores import ledger, ledger_witness
from airloop.stores.ledger import Draft, Entry, History
from airloop.stores.mlflow import registry

logger = logging.getLogger(__name__)

_ROUNDS = 5


def reconcile(pipeline_name: str, settings: Settings) -> list[str]:
    """Finish an `intended` entry without its end, then move back an alias that differs from the newest `done`.

    An alias that differs is recorded before it is moved: as `reconciled` when it points at a former champion or is
    gone, as `alarm` when it points at a version that was never promoted. Before the first promotion any alias is an
    `alarm`, and removed. A version that is not registered any more cannot be pointed at. A move to it that was
    begun is given up (`reconciled`); for a champion that is an `alarm`, once: it stays in force on record until a
    rollback past it, or the next promotion, of a version that the gate judged by floors only.

    Returns:
        One sentence per repair; empty when alias and ledger agree, or when what differs is on record and beyond repair.

    Raises:
        GuardRefused: The ledger does not verify (nothing is touched), or the alias keeps moving.
        UpstreamUnavailable: MLflow does not answer; nothing is recorded.
    """
    ledger_witness.require_intact(settings, pipeline_name)
    lines: list[str] = []
    for _ in range(_ROUNDS):
        # The alias is read first: a promotion that ends in between can then only look like a move of the past.
        alias = registry.aliases(settings, pipeline_name).get(registry.CHAMPION_ALIAS)
        head, history = ledger.head(settings, pipeline_name), ledger.history(settings, pipeline_name)
        unfinished = history.open_move()
        if unfinished is not None and not _registered(settings, unfinished.payload):
            lines += _record_gone(settings, unfinished, kind="reconciled", history=history)
        elif unfinished is not None:
            ended = registry.finish_move(settings, unfinished)
            move = "rollback to" if ledger.is_rollback(unfinished) else "promotion of"
            lines.append(f"finished the {move} version {ended.payload['version']} (ledger entry {ended.sequence})")
        elif (champion := history.in_force()) and not _registered(settings, champion.payload):
            return lines + _record_gone(settings, champion, kind="alarm", history=history)
        elif alias != history.champion():
            lines += _repair(pipeline_name, settings, history, alias=alias, head=head)
        else:
            return lines
    raise GuardRefused(f"the champion alias of {pipeline_name} keeps moving: something else writes it")


def _its_move(intended: Entry) -> str:
    return "the rollback to it" if ledger.is_rollback(intended) else "its promotion"


def _registered(settings: Settings, payload: dict[str, Any]) -> bool:
    return registry.is_registered(settings, payload["model_name"], payload["version"])


def _record_gone(settings: Settings, entry: Entry, *, kind: str, history: History) -> list[str]:
    """Put on record, once, that the version of an `intended` or `done` entry is not registered any more."""
    version = entry.payload["version"]
    if kind == "reconciled":
        says = f"ALARM: version {version} is not registered any more: {_its_move(entry)} is given up"
        payload = {"gone": version, "gives_up": entry.sequence, "says": says}
    else:
        says = (
            f"ALARM: champion {version} is not registered any more: it can neither score nor be compared; run a "
            "training, which the gate judges by floors only, and promote it, or go back to the champion before it: "
            f"airloop rollback {entry.pipeline} --why '...'"
        )
        payload = {"gone": version, "says": says}
    if payload in [known.payload for known in ledger.entries(settings, entry.pipeline, kind=kind)]:
        return []
    draft = Draft(history.data_time(), payload)
    recorded = ledger.append_once(
        settings,
        entry.pipeline,
        kind=kind,
        make=lambda entries: next((known for known in entries if known.payload == payload), draft),
        kinds=[kind],
    )
    logger.error("%s: %s", entry.pipeline, says)
    return [f"{says} (ledger entry {recorded.sequence})"]


def _repair(pipeline_name: str, settings: Settings, history: History, *, alias: int | None, head: int) -> list[str]:
    champion = history.champion()
    kind = "reconciled" if alias is None or alias in history.promoted() else "alarm"
    says = _says(alias, champion, known=kind == "reconciled")
    try:
        entry = ledger.append(
            settings,
            pipeline_name,
            kind=kind,
            effective_at=history.data_time(),
            payload={"alias": registry.CHAMPION_ALIAS, "pointed_at": alias, "restored": champion, "says": says},
            expected_head=head,
        )
    except GuardRefused:  # the ledger moved on: look again
        return []
    logger.log(logging.WARNING if kind == "reconciled" else logging.ERROR, "%s: %s", pipeline_name, says)
    if champion is None:
        registry.delete_alias(settings, pipeline_name, registry.CHAMPION_ALIAS)
    else:
        registry.set_alias(settings, pipeline_name, registry.CHAMPION_ALIAS, champion)
    return [f"{says} (ledger entry {entry.sequence})"]


def _says(alias: int | None, champion: int | None, *, known: bool) -> str:
    if champion is None:
        return f"ALARM: the alias champion pointed at version {alias}, but nothing was ever promoted: alias removed"
    if alias is None:
        return f"the alias champion was gone: back at version {champion}"
    if known:
        return f"the alias champion pointed at former champion {alias}: moved back to version {champion}"
    return f"ALARM: the alias champion pointed at version {alias}, never promoted: moved back to version {champion}"
