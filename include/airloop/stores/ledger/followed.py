"""A ledger that is asked again and again: verified once, and then only what was appended since.

What was verified is sealed (airloop.stores.ledger.seals), and the seals outlive the process. A look compares them with
what is stored: whatever decides, the newest entries, and one older seal in its turn, or all of them. Then it verifies
what was appended as a whole verification does. Wherever that finds anything, everything is verified anew, and what that
says counts.

A service has a `Followed` of its own; a stage asks `intact_history`, and whoever only wants the champion `champion_at`,
which keeps one.
"""

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from airloop.errors import GuardRefused
from airloop.settings import Settings
from airloop.stores import state
from airloop.stores.ledger import seal_file
from airloop.stores.ledger.entry import readable
from airloop.stores.ledger.foundations import Foundations
from airloop.stores.ledger.history import KINDS, History
from airloop.stores.ledger.seals import Compared, Seals
from airloop.stores.ledger.stored import Rows, read_stored, record_of
from airloop.stores.ledger.verification import (
    MAY_PROMOTE,
    Verified,
    broken_chain,
    broken_entries,
    decisions_on_record,
    look,
    moved_head,
    numbers_on_record,
    other_records,
    refusal,
)

NEWEST = 1000
"""Entries that a stage compares with their seals, at least."""

_KEPT_EVERY = 20
"""Entries after which the seals are written again: each process verifies what was appended since."""

_asked: dict[tuple[str, str], "Followed"] = {}


def intact_history(settings: Settings, pipeline: str, *, whole: bool = False) -> History:
    """The history, for a stage that acts on it.

    Args:
        whole: Compare everything that `verify` looks at, and not the NEWEST entries and what decides.

    Raises:
        GuardRefused: The ledger does not verify; the message says what was found, and the way out.
    """
    return Followed(settings, pipeline, newest=None if whole else NEWEST).intact_history()


def require_intact(settings: Settings, pipeline: str) -> History:
    """The history, after comparing everything that `verify` looks at.

    Raises:
        GuardRefused: See intact_history.
    """
    return intact_history(settings, pipeline, whole=True)


def champion_at(settings: Settings, pipeline: str, instant: datetime) -> int | None:
    """Version in force at `instant` (data time) by a ledger that verifies; None before the first promotion.

    A few milliseconds, also in a ledger of 100,000 entries. Any thread may ask.

    Raises:
        GuardRefused: The ledger does not verify; each further call says so, until it does.
        UpstreamUnavailable: The state database does not answer.
    """
    key = (settings.state_url, pipeline)
    # Taken out, not shared: a second thread that asks meanwhile looks for itself.
    followed = _asked.pop(key, None) or Followed(settings, pipeline)
    try:
        return followed.intact_history().champion(instant)
    finally:
        _asked[key] = followed


class Followed:
    """The ledger of one pipeline; for one thread."""

    def __init__(self, settings: Settings, pipeline: str, *, newest: int | None = 0) -> None:
        """Nothing is read yet; each look compares at least the `newest` entries with their seals, or all of them."""
        self._settings, self._pipeline, self._newest = settings, pipeline, newest
        self._verified: Verified | None = None
        self._seals: Seals | None = None
        self._rows: Mapping[str, Sequence[Any]] | None = None
        self._looks = 0
        self._kept = -_KEPT_EVERY

    def forget(self) -> None:
        """Verify everything the next time."""
        self._verified, self._seals, self._rows, self._looks = None, Seals(), None, self._looks + 1

    def verified(self) -> History | None:
        """The history as it was verified last; None where it was not, or did not verify."""
        return self._verified.history() if self._verified else None

    def intact_history(self) -> History:
        """The history as it is now.

        Raises:
            GuardRefused: The ledger does not verify; the message says what was found, and the way out.
            UpstreamUnavailable: The state database does not answer.
        """
        if not self._looks and (seals := seal_file.read(self._settings, self._pipeline)):
            self._seals, self._kept = seals, seals.last("entries")
        self._looks += 1
        before, self._verified = self._verified, None
        verified = self._continued(before) or self._anew()
        self._verified = verified
        self._keep()
        return verified.history()

    def _continued(self, before: Verified | None) -> Verified | None:
        """What was verified, with what was appended; None where nothing was verified, or something does not fit."""
        seals, turn, last_rows = self._seals, self._looks, self._rows
        self._rows = None
        if seals is None or (before is None and not seals.last("entries")):
            return None
        # A stage looks once; a service goes on for long, and reads little.
        with state.reading(self._settings, mapped=self._newest != 0) as connection:
            turn += seals.last("entries")
            compared = seals.compared(connection, self._pipeline, newest=self._newest, turn=turn, last_rows=last_rows)
            if compared is None:
                return None
            verified = before or _under(seals, compared)
            if not _took_in(connection, self._pipeline, verified):
                return None
        self._seals, self._rows = compared.seals, compared.rows
        return verified

    def _anew(self) -> Verified:
        self._seals, self._kept = None, -_KEPT_EVERY
        # Sealed before the verification that vouches for it: what is changed in between breaks a seal.
        with state.reading(self._settings) as connection:
            compared = Seals().compared(connection, self._pipeline, newest=None)
        problems, verified = look(self._settings, self._pipeline)
        if problems:
            raise GuardRefused(refusal(self._pipeline, problems))
        self._seals = compared.seals if compared else None
        return verified

    def _keep(self) -> None:
        if self._seals is not None and self._seals.last("entries") >= self._kept + _KEPT_EVERY:
            seal_file.write(self._settings, self._pipeline, self._seals)
            self._kept = self._seals.last("entries")


def _under(seals: Seals, compared: Compared) -> Verified:
    """What was verified when the seals were made."""
    sequence, rows = seals.last("entries"), compared.rows
    head = next(row for row in rows["entries"] if row.sequence == sequence)
    of_kinds = (row._asdict() for row in rows["deciding entries"] if row.kind in KINDS and row.sequence <= sequence)
    decided = [entry for row in of_kinds if (entry := readable(row))]
    recorded = numbers_on_record(record_of(row.record) for row in rows["deciding records"] if row.stage in MAY_PROMOTE)
    foundations = Foundations()
    for entry in decided:
        deque(foundations.take(entry, recorded=recorded), maxlen=0)  # what it finds was acknowledged
    return Verified(decided, foundations, sequence, str(head.hash), seals.newest_record)


def _took_in(connection: sa.Connection, pipeline: str, verified: Verified) -> bool:
    """Take in what was appended; False where it does not fit, and `verified` is of no more use."""
    head, known = verified.sequence, verified.hash
    stored = read_stored(connection, pipeline, sequence=head, record=verified.newest_record)
    if head and (not stored.rows or (stored.rows[0]["sequence"], stored.rows[0]["hash"]) != (head, known)):
        return False
    before = {"sequence": head - 1, "hash": stored.rows[0]["previous_hash"]} if head else None
    unfit = [
        *broken_chain(stored.rows, before=before),
        *broken_entries(stored.older),
        *moved_head(stored),
        *other_records(stored),
        *_unfounded(verified, stored.rows[1:] if head else stored.rows, decisions_on_record(stored)),
    ]
    verified.newest_record = max(verified.newest_record, stored.newest_record)
    if stored.rows:
        verified.sequence, verified.hash = stored.rows[-1]["sequence"], stored.rows[-1]["hash"]
    return not unfit


def _unfounded(verified: Verified, appended: Rows, recorded: Collection[int | None]) -> list[str]:
    decided = [entry for row in appended if row["kind"] in KINDS and (entry := readable(row))]
    verified.decided += decided
    verified.foundations.record(recorded)  # a stage's record follows its entry
    return [problem for entry in decided for problem in verified.foundations.take(entry, recorded=recorded)]
