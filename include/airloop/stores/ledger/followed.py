"""A ledger that is asked again and again: verified whole once, and then only what was appended since.

What was verified is remembered by its head, number and hash. The head must still be in the chain, each entry after it
continues it, and records and promotions since then are held against it as a whole verification does. Wherever that
finds anything, everything is looked at, and what that says counts. An older entry that is changed behind the head is
found by a whole verification alone (`forget` asks for one).
"""

from collections.abc import Collection

from airloop.errors import GuardRefused
from airloop.settings import Settings
from airloop.stores.ledger.history import KINDS, History
from airloop.stores.ledger.stored import Rows, read_appended, readable
from airloop.stores.ledger.verification import (
    Verified,
    broken_chain,
    broken_entries,
    decisions_on_record,
    look,
    moved_head,
    other_records,
    refusal,
)


class Followed:
    """The ledger of one pipeline; for one thread."""

    def __init__(self, settings: Settings, pipeline: str) -> None:
        """Nothing is read yet."""
        self._settings, self._pipeline = settings, pipeline
        self._verified: Verified | None = None

    def forget(self) -> None:
        """Look at everything the next time."""
        self._verified = None

    def intact_history(self) -> History:
        """The history as it is now.

        Raises:
            GuardRefused: The ledger does not verify; the message says what was found, and the way out.
            UpstreamUnavailable: The state database does not answer.
        """
        verified, self._verified = self._verified, None
        if verified is None or not self._continued(verified):
            problems, verified = look(self._settings, self._pipeline, newest=None)
            if problems:
                raise GuardRefused(refusal(self._pipeline, problems))
        self._verified = verified
        return verified.history()

    def _continued(self, verified: Verified) -> bool:
        """Take in what was appended; False where it does not fit, and `verified` is of no more use."""
        head, known = verified.sequence, verified.hash
        stored = read_appended(self._settings, self._pipeline, sequence=head, record=verified.newest_record)
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
