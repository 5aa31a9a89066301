"""A ledger that is asked again and again: verified once, and then only what was appended since.

What was verified is remembered by its head, number and hash. The head must still be in the chain, each entry after it
continues it, and records and promotions since then are held against it as a whole verification does. Whatever decided
has to be there as it was, and older entries are walked a few at a time (airloop.stores.ledger.behind). Wherever that
finds anything, everything is looked at, and what that says counts. What a walk has not reached yet is found by a whole
verification alone (`forget` asks for one).

A service has a `Followed` of its own; whoever only asks for the champion takes `champion_at`, which keeps one.
"""

from collections.abc import Collection
from datetime import datetime

from airloop.errors import GuardRefused
from airloop.settings import Settings
from airloop.stores import state
from airloop.stores.ledger.behind import Behind
from airloop.stores.ledger.entry import readable
from airloop.stores.ledger.history import KINDS, History
from airloop.stores.ledger.stored import Rows, Stored, read_appended
from airloop.stores.ledger.verification import (
    NEWEST,
    Verified,
    broken_chain,
    broken_entries,
    decisions_on_record,
    look,
    moved_head,
    other_records,
    refusal,
)

_asked: dict[tuple[str, str], "Followed"] = {}


def champion_at(settings: Settings, pipeline: str, instant: datetime) -> int | None:
    """Version in force at `instant` (data time) by a ledger that verifies; None before the first promotion.

    The first time in a process it costs what a stage's verification does, then a few milliseconds, also in a ledger of
    100,000 entries. Any thread may ask.

    Raises:
        GuardRefused: The ledger does not verify; each further call says so, until it does.
        UpstreamUnavailable: The state database does not answer.
    """
    key = (settings.state_url, pipeline)
    # Taken out, not shared: a second thread that asks meanwhile looks for itself.
    followed = _asked.pop(key, None) or Followed(settings, pipeline, newest=NEWEST)
    try:
        return followed.intact_history().champion(instant)
    finally:
        _asked[key] = followed


class Followed:
    """The ledger of one pipeline; for one thread."""

    def __init__(self, settings: Settings, pipeline: str, *, newest: int | None = None) -> None:
        """Nothing is read yet; the first look is at the `newest` entries and what decides, or at everything."""
        self._settings, self._pipeline, self._newest = settings, pipeline, newest
        self._verified: Verified | None = None
        self._behind: Behind | None = None

    def forget(self) -> None:
        """Look at everything the next time."""
        self._verified = None

    def verified(self) -> History | None:
        """The history as it was verified last; None where it was not, or did not verify."""
        return self._verified.history() if self._verified else None

    def intact_history(self) -> History:
        """The history as it is now.

        Raises:
            GuardRefused: The ledger does not verify; the message says what was found, and the way out.
            UpstreamUnavailable: The state database does not answer.
        """
        verified, self._verified = self._verified, None
        if verified is None or not self._continued(verified):
            self._behind = Behind(self._settings, self._pipeline)
            problems, verified = look(self._settings, self._pipeline, newest=self._newest)
            if problems:
                raise GuardRefused(refusal(self._pipeline, problems))
        # What a further look finds may lie before what a first one looks at.
        self._verified, self._newest = verified, None
        return verified.history()

    def _continued(self, verified: Verified) -> bool:
        """Take in what was appended; False where it does not fit, and `verified` is of no more use."""
        with state.reading(self._settings) as connection:
            head, record = verified.sequence, verified.newest_record
            stored = read_appended(connection, self._pipeline, sequence=head, record=record)
            return self._fits(verified, stored) and self._behind is not None and self._behind.unchanged(connection)

    def _fits(self, verified: Verified, stored: Stored) -> bool:
        head, known = verified.sequence, verified.hash
        if head and (not stored.rows or (stored.rows[0]["sequence"], stored.rows[0]["hash"]) != (head, known)):
            return False
        before = {"sequence": head - 1, "hash": stored.rows[0]["previous_hash"]} if head else None
        unfit = [
            *broken_chain(stored.rows, before=before),
            *broken_entries(stored.older),
            *moved_head(stored),
            *other_records(stored),
            *_taken_in(verified, stored.rows[1:] if head else stored.rows, decisions_on_record(stored)),
        ]
        verified.newest_record = max(verified.newest_record, stored.newest_record)
        if stored.rows:
            verified.sequence, verified.hash = stored.rows[-1]["sequence"], stored.rows[-1]["hash"]
        return not unfit


def _taken_in(verified: Verified, appended: Rows, recorded: Collection[int | None]) -> list[str]:
    decided = [entry for row in appended if row["kind"] in KINDS and (entry := readable(row))]
    verified.decided += decided
    verified.foundations.record(recorded)  # a stage's record follows its entry
    return [problem for entry in decided for problem in verified.foundations.take(entry, recorded=recorded)]
