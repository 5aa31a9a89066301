"""The ledger: the append-only, hash-chained history of what was decided; in force is what it says, never an alias."""

from airloop.stores.ledger.acknowledgement import acknowledge
from airloop.stores.ledger.chain import append, append_once, head, heads
from airloop.stores.ledger.entry import Draft, Entry, payload_of
from airloop.stores.ledger.followed import Followed, champion_at, intact_history, require_intact
from airloop.stores.ledger.foundations import passes
from airloop.stores.ledger.history import KINDS as HISTORY_KINDS
from airloop.stores.ledger.history import TAKES_BACK, History, history, is_rollback
from airloop.stores.ledger.kinds import KINDS, WRITERS
from airloop.stores.ledger.queries import at, entries, newest
from airloop.stores.ledger.verification import (
    acknowledged,
    known_hash,
    on_record,
    refusal,
    same_content,
    verify,
)

__all__ = [
    "HISTORY_KINDS",
    "KINDS",
    "TAKES_BACK",
    "WRITERS",
    "Draft",
    "Entry",
    "Followed",
    "History",
    "acknowledge",
    "acknowledged",
    "append",
    "append_once",
    "at",
    "champion_at",
    "entries",
    "head",
    "heads",
    "history",
    "intact_history",
    "is_rollback",
    "known_hash",
    "newest",
    "on_record",
    "passes",
    "payload_of",
    "refusal",
    "require_intact",
    "same_content",
    "verify",
]
