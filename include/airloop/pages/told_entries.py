"""The ledger as pages read it: an entry that lacks a key (of an older or a foreign writer) still shows, with `?` there.

Stages read the ledger strictly; a person has to see what is wrong with it, so no page may fail on it.
"""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from airloop.settings import Settings
from airloop.stores import ledger
from airloop.stores.ledger import HISTORY_KINDS, Entry, History


class Told(dict[str, Any]):
    """A payload whose missing keys read as `?`; `get` answers as of any dictionary."""

    def __missing__(self, key: str) -> str:
        return "?"


def entries(settings: Settings, name: str, *, kinds: Collection[str] = ()) -> tuple[Entry, ...]:
    """The entries of a pipeline, by sequence."""
    return tuple(told(entry) for entry in ledger.entries(settings, name, kinds=kinds))


def newest(settings: Settings, name: str, kind: str) -> Entry | None:
    """The newest entry of a kind."""
    entry = ledger.newest(settings, name, kind)
    return told(entry) if entry else None


def told(entry: Entry) -> Entry:
    """The entry with a payload that always answers."""
    return replace(entry, payload=Told(entry.payload))


def history(settings: Settings, name: str) -> History:
    """Who was decided on and promoted, without the entries that do not say which version they are about."""
    kept_entries = entries(settings, name, kinds=HISTORY_KINDS)
    return History(tuple(entry for entry in kept_entries if entry.kind in _ABOUT_NO_VERSION or _says_which(entry)))


_ABOUT_NO_VERSION = frozenset({"reconciled", "locked", "unlocked"})


def _says_which(entry: Entry) -> bool:
    return str(entry.payload.get("version", "")).isdigit()
