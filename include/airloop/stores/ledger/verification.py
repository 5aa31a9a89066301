"""Whether the ledger is what was appended: the chain itself, and what stands written about it elsewhere.

Each entry's hash shows a changed, inserted or removed entry before the end. A chain that was cut, or rewritten together
with all hashes, fits no longer what was written down beside it: its newest number and hash, the records of the stages
that appended entries, tags of model versions (airloop.stores.ledger_witness), and hashes in logs (`known_hash`).

A verification looks at everything. Stages go on from the seals that one leaves: airloop.stores.ledger.followed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from airloop.errors import DataContractError
from airloop.records import Window
from airloop.settings import Settings
from airloop.stores import state, tables
from airloop.stores.ledger.chain import FIRST_HASH, row_hash
from airloop.stores.ledger.entry import Entry, readable
from airloop.stores.ledger.foundations import Foundations
from airloop.stores.ledger.history import KINDS, History
from airloop.stores.ledger.queries import entries
from airloop.stores.ledger.stored import KIND_OF_STAGE, UNREADABLE, Rows, Stored, read_stored

MAY_PROMOTE = ("decide", "refit")
"""Stages whose records say which version may be promoted."""

_TABLE = tables.ledger_entries


def verify(settings: Settings, pipeline: str) -> list[str]:
    """Every way in which the ledger differs from what was appended, one sentence each; empty when there is none.

    Found are: a changed, inserted, removed or replaced entry; a chain that was cut or rewritten since its newest entry
    was written down; a stage's record of a decision, triage or promotion with another content than its entry; a
    promotion that no passed decision stands behind. What a person acknowledged (`acknowledge`) is left out.
    """
    return look(settings, pipeline)[0]


def refusal(pipeline: str, problems: Sequence[str]) -> str:
    """What is said to whoever wants to act on a ledger with problems."""
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return (
        f"the ledger of {pipeline} does not verify: {problems[0]}{more}. Nothing acts on it until the state database "
        f"is restored from a backup, or a person goes on with what is there: see all by `airloop ledger verify "
        f"{pipeline}`, then `airloop ledger acknowledge {pipeline} --why '...'`"
    )


def acknowledged(settings: Settings, pipeline: str) -> frozenset[str]:
    """The problems that a person acknowledged."""
    known = entries(settings, pipeline, kind="acknowledged")
    return frozenset(problem for entry in known for problem in (entry.payload.get("problems") or ()))


def known_hash(settings: Settings, pipeline: str, text: str) -> int | None:
    """The number of the entry with this hash, or with the only hash that starts with it; None when there is none."""
    query = sa.select(_TABLE.c.sequence).where(
        _TABLE.c.pipeline == pipeline, _TABLE.c.hash.startswith(text.lower(), autoescape=True)
    )
    with state.reading(settings) as connection:
        numbers = list(connection.execute(query.limit(2)).scalars())
    return int(numbers[0]) if len(numbers) == 1 else None


@dataclass
class Verified:
    """What a verification that found nothing leaves for the next one to go on from.

    Attributes:
        decided: Entries of KINDS, by sequence.
        sequence: Of the newest entry; 0 of an empty ledger.
        hash: Its hash.
        newest_record: Number of the newest record of a stage that was looked at.
    """

    decided: list[Entry]
    foundations: Foundations
    sequence: int
    hash: str
    newest_record: int

    def history(self) -> History:
        """The history as far as it was verified."""
        return History(tuple(self.decided))


def look(settings: Settings, pipeline: str) -> tuple[list[str], Verified]:
    """Problems that nobody acknowledged, and what was looked at: everything."""
    with state.reading(settings) as connection:
        stored = read_stored(connection, pipeline)
    decided = [entry for row in stored.rows if row["kind"] in KINDS and (entry := readable(row))]
    foundations, recorded = Foundations(), decisions_on_record(stored)
    problems = [
        *broken_chain(stored.rows, before=None),
        *moved_head(stored),
        *other_records(stored),
        *(problem for entry in decided for problem in foundations.take(entry, recorded=recorded)),
    ]
    known = _acknowledged(stored.rows)
    head: Mapping[str, Any] = stored.rows[-1] if stored.rows else {"sequence": 0, "hash": FIRST_HASH}
    verified = Verified(decided, foundations, head["sequence"], head["hash"], stored.newest_record)
    return [problem for problem in problems if problem not in known], verified


def decisions_on_record(stored: Stored) -> frozenset[int | None]:
    """Numbers of the decisions and refits that their stages have on record."""
    return numbers_on_record(record for stage in MAY_PROMOTE for record in stored.records[stage])


def numbers_on_record(records: Iterable[Mapping[str, Any]]) -> frozenset[int | None]:
    """The entries that records name."""
    return frozenset(record.get("sequence") for record in records)


def broken_chain(rows: Rows, *, before: Mapping[str, Any] | None) -> Iterator[str]:
    """Rows that do not follow each other, or the one before the first of them."""
    previous = before["hash"] if before else FIRST_HASH
    expected = before["sequence"] + 1 if before else 1
    for row in rows:
        sequence = row["sequence"]
        if sequence != expected:
            yield f"entry {sequence} follows entry {expected - 1}: entries between them are missing"
        elif row["previous_hash"] != previous:
            yield f"entry {sequence} does not continue entry {expected - 1}: one of them was replaced"
        yield from _changed(row)
        previous, expected = row["hash"], sequence + 1


def broken_entries(older: Rows) -> Iterator[str]:
    """Rows with others between them (each with `next_hash`) that were changed or replaced."""
    for row in older:
        yield from _changed(row)
        if row["next_hash"] != row["hash"]:
            yield f"entry {row['sequence'] + 1} does not continue entry {row['sequence']}: one of them was replaced"


def _changed(row: Mapping[str, Any]) -> Iterator[str]:
    try:
        actual = row_hash({key: value for key, value in row.items() if key != "next_hash"})
    except DataContractError:  # bytes in the place of a text
        actual = "of what is no text"
    if actual != row["hash"]:
        yield f"entry {row['sequence']} ({row['kind']}) was changed: its content has hash {actual[:12]}, not its own"


def moved_head(stored: Stored) -> Iterator[str]:
    """A newest entry that is not the one that was written down."""
    if stored.written_down is None:
        return
    sequence, known = stored.written_down["sequence"], stored.written_down["hash"]
    newest = stored.rows[-1] if stored.rows else {"sequence": 0, "hash": FIRST_HASH}
    if newest["sequence"] < sequence:
        yield f"the newest entry is {newest['sequence']}, and entry {sequence} was appended: the end was cut off"
    elif newest["sequence"] > sequence:
        yield f"the newest entry is {newest['sequence']}, and only {sequence} were appended: the end was made up"
    elif newest["hash"] != known:
        yield f"entry {sequence} was appended with hash {known[:12]}, not with the one it has: the chain was rewritten"


def other_records(stored: Stored) -> Iterator[str]:
    """Records of stages that the ledger does not hold as recorded. The sentence stays the same as the chain grows."""
    by_sequence = {row["sequence"]: row for row in stored.all_rows}
    first = stored.rows[0]["sequence"] if stored.rows else 1
    for stage, kind in KIND_OF_STAGE.items():
        for record in stored.records[stage]:
            sequence = record.get("sequence")
            if UNREADABLE in record:
                yield f"a record of {stage} cannot be read: somebody wrote it"
                continue
            if sequence is None or (sequence < first and sequence not in by_sequence):
                continue
            row = by_sequence.get(sequence)
            entry = readable(row) if row and row["kind"] == kind else None
            if entry is None or not same_content(entry, record):
                yield f"entry {sequence} ({kind}) is not in the ledger as the record of {stage} holds it"


def same_content(entry: Entry, record: Mapping[str, Any]) -> bool:
    """Whether an entry says all that the record of its stage says, but for its number.

    A triage's payload names its window and version besides; a promotion's `effective_at` is that of its entry. Texts
    that an older airloop did not write (a model's digest) are empty in the record, and what is absent is None.
    """
    content = entry.payload
    # The whole entry as JSON only where the record says when and its payload does not: a verification asks a thousand
    # times, and of what triage said neither does.
    if "effective_at" in record and "effective_at" not in content:
        content = {"effective_at": entry.to_json()["effective_at"], **content}
    return all(
        content.get(key, None if value is None else "") == value for key, value in record.items() if key != "sequence"
    )


def on_record(settings: Settings, entry: Entry) -> bool:
    """Whether a stage that writes entries of this kind has a record of exactly this one."""
    before = Window(entry.effective_at - timedelta(microseconds=1), entry.effective_at)
    for stage in (stage for stage, kind in KIND_OF_STAGE.items() if kind == entry.kind):
        records = state.latest_records(settings, entry.pipeline, stage, overlapping=before)
        if any(record.get("sequence") == entry.sequence and same_content(entry, record) for record in records):
            return True
    return False


def _acknowledged(rows: Rows) -> set[str]:
    known = [readable(row) for row in rows if row["kind"] == "acknowledged"]
    return {problem for entry in known if entry for problem in (entry.payload.get("problems") or ())}
