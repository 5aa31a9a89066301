"""A ledger that is followed: only what was appended is looked at, and whatever does not fit is refused all the same."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from tests.support.ledger_entries import act, begin, decided, decision, put_in_force, save, triaged

from airloop.errors import GuardRefused
from airloop.settings import Settings
from airloop.stores import ledger, state, tables
from airloop.stores.ledger import Followed, chain, followed

MARCH, APRIL, MAY = (datetime(2013, month, 1, tzinfo=UTC) for month in (3, 4, 5))
NAME = "flights"
TABLE = tables.ledger_entries


@pytest.fixture
def settings(tmp_path) -> Settings:
    """One champion."""
    settings = Settings(home=tmp_path)
    put_in_force(settings, NAME, 1, MARCH)
    return settings


@pytest.fixture
def looks(monkeypatch) -> list[str]:
    """A line for each whole verification."""
    lines: list[str] = []
    whole = followed.look
    monkeypatch.setattr(followed, "look", lambda *given, **more: lines.append("whole") or whole(*given, **more))
    return lines


@pytest.fixture
def known(settings, looks) -> Followed:
    """The ledger as it was verified once, with two champions and a triage since."""
    known = Followed(settings, NAME)
    known.intact_history()
    triaged(settings, NAME, APRIL, champion=1)
    put_in_force(settings, NAME, 2, APRIL, previous=1)
    assert known.intact_history().champion() == 2
    looks.clear()
    return known


def run(settings: Settings, *statements: sa.Executable) -> None:
    with state.transaction(settings) as connection:
        for statement in statements:
            connection.execute(statement)


def rewritten(settings: Settings, *, head: bool) -> None:
    """The whole chain with another reason in its first decision, every hash computed again."""
    with state.transaction(settings) as connection:
        rows = [dict(row) for row in connection.execute(sa.select(TABLE).order_by(TABLE.c.sequence)).mappings()]
        previous = chain.FIRST_HASH
        for row in rows:
            if row["sequence"] == 1:
                row["payload"] = chain.canonical({**json.loads(row["payload"]), "why": "passed: because"})
            row |= {"previous_hash": previous}
            row["hash"] = previous = chain.row_hash(row)
            connection.execute(TABLE.update().where(TABLE.c.sequence == row["sequence"]).values(**row))
        if head:
            connection.execute(tables.ledger_heads.update().values(hash=previous))


def behind_its_back(settings: Settings) -> None:
    newest = ledger.entries(settings, NAME)[-1]
    row = {"pipeline": NAME, "sequence": newest.sequence + 1, "kind": "triage", "payload": "{}"}
    row |= {"effective_at": state.instant_text(MAY), "recorded_at": state.instant_text(MAY)}
    row |= {"previous_hash": newest.hash}
    run(settings, TABLE.insert().values(**row, hash=chain.row_hash(row)))


def changed(settings: Settings, number: int) -> None:
    run(settings, TABLE.update().where(TABLE.c.sequence == number).values(payload='{"version":9}'))


def replaced(settings: Settings) -> None:
    """An entry after the head that does not continue it."""
    decided(settings, NAME, 3, at=MAY, champion=2)
    run(settings, TABLE.update().where(TABLE.c.sequence == 8).values(previous_hash="1" * 64))


def appended(settings: Settings) -> None:
    decided(settings, NAME, 3, at=MAY, champion=2)


def unfounded(settings: Settings) -> None:
    act(settings, NAME, "done", 3, 9, at=APRIL, previous=2)


def off_the_record(settings: Settings) -> None:
    payload = ledger.payload_of(decision(3, at=APRIL, champion=2))
    made_up = ledger.append(settings, NAME, kind="decision", effective_at=APRIL, payload=payload)
    begin(settings, NAME, 3, made_up.sequence, at=APRIL, previous=2)


TAMPERED: dict[str, Callable[[Settings], None]] = {
    "the end is cut off": lambda settings: run(settings, TABLE.delete().where(TABLE.c.sequence > 5)),
    "everything is cut off": lambda settings: run(settings, TABLE.delete()),
    "all is rewritten": lambda settings: rewritten(settings, head=False),
    "all is rewritten, the head too": lambda settings: rewritten(settings, head=True),
    "cut off, and others appended": lambda settings: (
        run(settings, TABLE.delete().where(TABLE.c.sequence > 4)),
        put_in_force(settings, NAME, 9, MAY, previous=1),
    ),
    "a promotion behind the head is changed": lambda settings: changed(settings, 3),
    "a record behind the head is removed": lambda settings: run(
        settings, tables.stage_runs.delete().where(tables.stage_runs.c.stage == "decide")
    ),
    "the newest entry is changed": lambda settings: changed(settings, 7),
    "an appended entry is changed": lambda settings: (appended(settings), changed(settings, 8)),
    "an appended entry does not continue": replaced,
    "an entry is made up at the end": behind_its_back,
    "a promotion without a decision": unfounded,
    "a promotion by a decision nobody has on record": off_the_record,
    "a record of another promotion": lambda settings: save(
        settings, NAME, "promote", MARCH, {"version": 9, "sequence": 3}
    ),
    "a record of what was never appended": lambda settings: save(
        settings, NAME, "promote", MARCH, {"version": 9, "sequence": 30}
    ),
}


@pytest.mark.parametrize("tamper", TAMPERED.values(), ids=TAMPERED)
def test_whatever_does_not_fit_what_was_verified_is_refused_as_a_whole_verification_does(settings, known, tamper):
    tamper(settings)
    problems = ledger.verify(settings, NAME)
    assert problems
    for _ in range(2):  # it stays refused
        with pytest.raises(GuardRefused, match="does not verify") as refused:
            known.intact_history()
        assert problems[0] in str(refused.value)


def test_what_is_only_appended_passes_and_nothing_older_is_read_again(settings, known, looks):
    for number in range(3, 9):
        put_in_force(settings, NAME, number, MAY + timedelta(days=number), previous=number - 1)
        triaged(settings, NAME, MAY + timedelta(days=number), champion=number)
        assert known.intact_history().champion() == number
        assert known.intact_history() == ledger.history(settings, NAME)
    assert looks == []


def test_a_record_that_follows_its_entry_later_founds_the_promotion_after_it(settings, known, looks):
    made = decision(3, at=MAY, champion=2)
    entry = ledger.append(settings, NAME, kind="decision", effective_at=MAY, payload=ledger.payload_of(made))
    assert known.intact_history().champion() == 2
    save(settings, NAME, "decide", MAY, {**ledger.payload_of(made), "sequence": entry.sequence})
    assert known.intact_history().champion() == 2
    for kind in ("intended", "done"):
        act(settings, NAME, kind, 3, entry.sequence, at=MAY, previous=2)
    assert known.intact_history().champion() == 3
    assert looks == []


def test_what_a_person_acknowledged_passes_again_and_what_is_new_is_refused(settings, known):
    run(settings, TABLE.delete().where(TABLE.c.sequence > 4))
    ledger.acknowledge(settings, NAME, problems=ledger.verify(settings, NAME), why="restored", who="ops")
    assert known.intact_history().champion() == 1
    put_in_force(settings, NAME, 3, MAY, previous=1)
    assert known.intact_history().champion() == 3
    unfounded(settings)
    with pytest.raises(GuardRefused, match="no promotion of it was begun"):
        known.intact_history()


def test_an_empty_ledger_is_followed_from_its_first_entry_on(tmp_path, looks):
    settings = Settings(home=tmp_path)
    known = Followed(settings, NAME)
    assert known.intact_history().champion() is None
    put_in_force(settings, NAME, 1, MARCH)
    assert known.intact_history().champion() == 1
    assert looks == ["whole"]
