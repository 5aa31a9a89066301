"""The lock on promotions: set by a rollback or a person, lifted by a person; and what else keeps a champion in place.

While it is on, trainings and the gate go on, and what passes waits as challenger.
"""

import logging

from airloop.errors import GuardRefused
from airloop.records.person_texts import require_reason, require_text
from airloop.settings import Settings
from airloop.stores import ledger
from airloop.stores.ledger import HISTORY_KINDS, Draft, Entry, History

logger = logging.getLogger(__name__)


def lock(settings: Settings, pipeline_name: str, *, why: str, who: str) -> Entry:
    """Stop promotions; a lock that is on stays, and its entry is returned.

    Raises:
        ConfigError: No reason, or one that cannot be kept.
        GuardRefused: The ledger does not verify.
    """
    return _set(settings, pipeline_name, kind="locked", why=why, who=who)


def unlock(settings: Settings, pipeline_name: str, *, why: str, who: str) -> Entry:
    """Let promotions go on. Lifted already, the entry that lifted it is returned.

    Raises:
        ConfigError: No reason, or one that cannot be kept.
        GuardRefused: Nothing was ever locked, or the ledger does not verify.
    """
    return _set(settings, pipeline_name, kind="unlocked", why=why, who=who)


def refuse_promotion(history: History) -> None:
    """Refuse while promotions are locked.

    Raises:
        GuardRefused: See above; the message says since when, why, and what lifts it.
    """
    locked = history.lock()
    if locked is None:
        return
    by = "the rollback to version {}".format(locked.payload["version"]) if locked.kind == "rolled_back" else "a lock"
    raise GuardRefused(
        f"promotions of {locked.pipeline} are locked by {by} of {locked.payload['who']}, ledger entry "
        f"{locked.sequence} ({locked.payload['why']}): lift it by `airloop unlock {locked.pipeline} --why '...'`, "
        "then promote again"
    )


def refuse_move(history: History) -> None:
    """Refuse while another promotion or rollback is unfinished.

    Raises:
        GuardRefused: See above; the message names the command that finishes it.
    """
    unfinished = history.open_move()
    if unfinished is not None:
        move = "rollback to" if ledger.is_rollback(unfinished) else "promotion of"
        raise GuardRefused(
            f"the {move} version {unfinished.payload['version']} is unfinished: "
            f"run `airloop ledger reconcile {unfinished.pipeline}` first"
        )


def _set(settings: Settings, pipeline_name: str, *, kind: str, why: str, who: str) -> Entry:
    reason = require_reason(why, "--why 'the outcomes of May were wrong'")
    require_text(who, "the name of who decides")
    ledger.intact_history(settings, pipeline_name)

    def make(entries: tuple[Entry, ...]) -> Entry | Draft:
        history = History(entries)
        on = history.lock()
        standing = on if kind == "locked" else (None if on else history.latest("unlocked"))
        if standing is not None:
            return standing
        if kind == "unlocked" and on is None:
            raise GuardRefused(f"promotions of {pipeline_name} are not locked: there is nothing to lift")
        return Draft(history.data_time(), {"why": reason, "who": who})

    entry = ledger.append_once(settings, pipeline_name, kind=kind, make=make, kinds=HISTORY_KINDS)
    logger.warning("%s: promotions %s by %s (%s), ledger entry %d", pipeline_name, kind, who, reason, entry.sequence)
    return entry
