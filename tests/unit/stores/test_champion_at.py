"""Who asks again for the champion pays for one verification, and still finds a past that was rewritten or cut."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from tests.support.ledger_entries import decided, put_in_force, triaged

from airloop.errors import GuardRefused
from airloop.settings import Settings
from airloop.stores import ledger, state, tables
from airloop.stores.ledger import chain, followed, seals

MARCH, APRIL, MAY = (datetime(2013, month, 1, tzinfo=UTC) for month in (3, 4, 5))
NAME = "flights"
TABLE = tables.ledger_entries


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """Two champions, twelve triages after them, and a first look that verified it all."""
    monkeypatch.setattr(seals, "CHUNK", 5)
    settings = Settings(home=tmp_path)
    put_in_force(settings, NAME, 1, MARCH)
    put_in_force(settings, NAME, 2, APRIL, previous=1)
    for day in range(1, 13):
        triaged(settings, NAME, APRIL + timedelta(days=day), champion=2, kind="nothing")
    assert ledger.champion_at(settings, NAME, MAY) == 2
    return settings


@pytest.fixture
def verified(monkeypatch):
    """A line for each verification of everything."""
    made = []
    whole = followed.look
    monkeypatch.setattr(followed, "look", lambda *given: made.append("whole") or whole(*given))
    return made


def change(settings, statement):
    with state.transaction(settings) as connection:
        connection.execute(statement)


def refused(settings, says):
    for _ in range(2):
        with pytest.raises(GuardRefused, match=says):
            ledger.champion_at(settings, NAME, MAY)


def test_a_further_look_verifies_nothing_again(settings, verified):
    assert [ledger.champion_at(settings, NAME, at) for at in (MARCH, APRIL, MAY)] == [1, 2, 2]
    assert verified == []


def test_an_entry_that_decides_nothing_is_followed_without_a_verification(settings, verified):
    triaged(settings, NAME, MAY, champion=2, kind="nothing")
    assert ledger.champion_at(settings, NAME, MAY) == 2
    assert verified == []


def test_a_promotion_is_seen_at_once(settings, verified):
    put_in_force(settings, NAME, 3, MAY, previous=2)
    assert ledger.champion_at(settings, NAME, MAY) == 3
    assert verified == []


def test_a_decision_changed_in_the_past_is_refused(settings):
    first = TABLE.update().where(TABLE.c.sequence == 3)
    change(settings, first.values(payload='{"decision_sequence":1,"version":9}'))
    refused(settings, r"entry 3 \(done\) was changed")


def test_a_decision_rewritten_with_its_hash_is_refused(settings):
    with state.transaction(settings) as connection:
        row = dict(connection.execute(sa.select(TABLE).where(TABLE.c.sequence == 3)).mappings().one())
        row["effective_at"] = state.instant_text(MAY)
        row["hash"] = chain.row_hash(row)
        connection.execute(TABLE.update().where(TABLE.c.sequence == 3).values(**row))
    refused(settings, "entry 4 does not continue entry 3: one of them was replaced")


@pytest.mark.parametrize("kept", [17, 4, 0])
def test_a_past_that_was_cut_is_refused(settings, kept):
    change(settings, TABLE.delete().where(TABLE.c.sequence > kept))
    refused(settings, "does not verify: .*(the end was cut off|is not in the ledger)")


def test_a_past_cut_together_with_what_is_written_down_is_refused(settings):
    change(settings, TABLE.delete().where(TABLE.c.sequence > 14))
    kept = ledger.entries(settings, NAME)[-1]
    change(settings, tables.ledger_heads.update().values(sequence=14, hash=kept.hash))
    refused(settings, "is not in the ledger as the record of triage holds it")


def test_a_removed_or_changed_record_of_a_decision_is_refused(settings):
    change(settings, tables.stage_runs.delete().where(tables.stage_runs.c.stage == "decide"))
    refused(settings, "promotes version 1, which decide did not pass")


def test_entries_put_at_the_end_behind_the_ledgers_back_are_refused(settings):
    newest = ledger.entries(settings, NAME)[-1]
    row = {"pipeline": NAME, "sequence": newest.sequence + 1, "kind": "triage", "payload": "{}"}
    row |= {name: state.instant_text(MAY) for name in ("effective_at", "recorded_at")}
    row |= {"previous_hash": newest.hash}
    change(settings, TABLE.insert().values(**row, hash=chain.row_hash(row)))
    refused(settings, "the end was made up")


def test_an_appended_entry_that_does_not_continue_the_chain_is_refused(settings):
    triaged(settings, NAME, MAY, champion=2, kind="nothing")
    change(settings, TABLE.update().where(TABLE.c.sequence == 19).values(payload="{}"))
    refused(settings, r"entry 19 \(triage\) was changed")


@pytest.mark.parametrize("number", [4, 9, 14, 18])
def test_looks_take_every_seal_in_its_turn_and_find_what_decides_nothing(settings, verified, number):
    payload = '{"why":"it is fine"}'
    change(settings, TABLE.update().where(TABLE.c.sequence == number).values(payload=payload))
    for _ in range(4):  # seals of five entries each: at most so many turns
        try:
            ledger.champion_at(settings, NAME, MAY)
        except GuardRefused:
            break
    refused(settings, rf"entry {number} \(\w+\) was changed")
    assert verified[:1] == ["whole"]


def test_what_a_person_acknowledged_is_gone_on_with(settings):
    change(settings, TABLE.update().where(TABLE.c.sequence == 10).values(payload='{"why":"it is fine"}'))
    problems = ledger.verify(settings, NAME)
    ledger.acknowledge(settings, NAME, problems=problems, why="restored from a backup", who="ops")
    assert [ledger.champion_at(settings, NAME, MAY) for _ in range(20)] == [2] * 20
    decided(settings, NAME, 3, at=MAY, champion=2)
    change(settings, TABLE.delete().where(TABLE.c.sequence == 20))
    refused(settings, "the end was cut off")


def test_threads_that_ask_while_another_promotes_never_see_an_older_champion_again(settings):
    answers, done = [[] for _ in range(3)], threading.Event()

    def ask(mine):
        while not done.is_set():
            mine.append(ledger.champion_at(settings, NAME, MAY))
        mine.append(ledger.champion_at(settings, NAME, MAY))

    threads = [threading.Thread(target=ask, args=(mine,)) for mine in answers]
    for thread in threads:
        thread.start()
    for version in (3, 4, 5):
        put_in_force(settings, NAME, version, MAY, previous=version - 1)
    done.set()
    for thread in threads:
        thread.join()
    assert all(mine == sorted(mine) and mine[-1] == 5 for mine in answers)
