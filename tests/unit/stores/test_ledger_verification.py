"""What does not fit the ledger is found by verify, and nothing acts on it: changed, cut, rewritten, made up."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from tests.support.ledger_entries import act, begin, decided, decision, put_in_force, record, save

from airloop.errors import GuardRefused
from airloop.records import Check
from airloop.settings import Settings
from airloop.stores import ledger, state, tables
from airloop.stores.ledger import chain

MARCH, APRIL, MAY = (datetime(2013, month, 1, tzinfo=UTC) for month in (3, 4, 5))
NAME = "flights"
TABLE = tables.ledger_entries


@pytest.fixture
def settings(tmp_path):
    """Two champions, and a triage on record between them."""
    settings = Settings(home=tmp_path)
    put_in_force(settings, NAME, 1, MARCH)
    triaged(settings, APRIL)
    put_in_force(settings, NAME, 2, APRIL, previous=1)
    return settings


def triaged(settings, at, kind="nothing"):
    content = {"kind": kind, "why": "no gain is sure", "reason_key": "", "cutoff": "2013", "evidence": []}
    payload = {**content, "version": 1, "window": {}}
    entry = ledger.append(settings, NAME, kind="triage", effective_at=at, payload=payload)
    save(settings, NAME, "triage", at, {**content, "sequence": entry.sequence})


def rewrite(settings, change: Callable[[int, dict], dict] = lambda _, payload: payload, first=1):
    """Write the chain anew with other payloads, every hash computed again."""
    with state.transaction(settings) as connection:
        rows = [dict(row) for row in connection.execute(sa.select(TABLE).order_by(TABLE.c.sequence)).mappings()]
        previous = chain.FIRST_HASH
        for row in rows:
            row |= {"payload": chain.canonical(change(row["sequence"], json.loads(row["payload"])))}
            row |= {"previous_hash": previous}
            row["hash"] = previous = chain.row_hash(row)
            connection.execute(TABLE.update().where(TABLE.c.sequence == row["sequence"]).values(**row))


def run_sql(settings, *statements):
    with state.transaction(settings) as connection:
        for statement in statements:
            connection.execute(statement)


def refused(settings):
    """That stages refuse what verify finds; returns the findings."""
    problems = ledger.verify(settings, NAME)
    for whole in (False, True):
        with pytest.raises(GuardRefused, match=r"the ledger of flights does not verify: .*ledger acknowledge flights"):
            ledger.intact_history(settings, NAME, whole=whole)
    with pytest.raises(GuardRefused, match="does not verify"):
        ledger.champion_at(settings, NAME, MAY)
    return problems


def test_what_was_only_appended_verifies(settings):
    assert ledger.verify(settings, NAME) == []
    assert ledger.champion_at(settings, NAME, MAY) == 2
    assert ledger.champion_at(settings, NAME, MARCH) == 1


def test_a_chain_rewritten_with_all_its_hashes_is_found(settings):
    rewrite(settings, lambda number, payload: payload | ({"why": "it is fine"} if number == 4 else {}))
    assert any("the chain was rewritten" in problem for problem in refused(settings))


def test_a_rewritten_decision_is_found_by_the_record_of_decide_even_with_the_head_rewritten(settings):
    rewrite(settings, lambda number, payload: payload | ({"why": "passed: because"} if number == 1 else {}))
    newest = ledger.entries(settings, NAME)[-1]
    run_sql(settings, tables.ledger_heads.update().values(hash=newest.hash))
    assert refused(settings)[0] == "entry 1 (decision) is not in the ledger as the record of decide holds it"


@pytest.mark.parametrize(
    ("kept", "says"),
    [
        (6, "the newest entry is 6, and entry 7 was appended: the end was cut off"),
        (4, "entry 5 (decision) is not in the ledger as the record of decide holds it"),
        (0, "the newest entry is 0, and entry 7 was appended: the end was cut off"),
    ],
)
def test_a_cut_chain_is_found(settings, kept, says):
    run_sql(settings, TABLE.delete().where(TABLE.c.sequence > kept))
    assert says in refused(settings)


def test_a_chain_cut_together_with_its_head_is_found_by_the_stage_records(settings):
    cut = TABLE.delete().where(TABLE.c.sequence > 4)
    run_sql(settings, cut, tables.ledger_heads.update().values(sequence=4, hash=ledger.entries(settings, NAME)[3].hash))
    assert refused(settings) == ["entry 5 (decision) is not in the ledger as the record of decide holds it"]


@pytest.mark.parametrize(("stage", "number", "kind"), [("decide", 1, "decision"), ("triage", 4, "triage")])
def test_a_changed_stage_record_is_found(settings, stage, number, kind):
    runs = tables.stage_runs
    with state.transaction(settings) as connection:
        text = connection.execute(sa.select(runs.c.record).where(runs.c.stage == stage)).scalars().first()
        changed = json.dumps(json.loads(text) | {"why": "passed: because I say so"})
        connection.execute(runs.update().where(runs.c.record == text).values(record=changed))
    assert refused(settings) == [f"entry {number} ({kind}) is not in the ledger as the record of {stage} holds it"]


def test_a_changed_record_of_a_promotion_is_found(settings):
    save(settings, NAME, "promote", MARCH, {"version": 9, "sequence": 3})
    assert refused(settings) == ["entry 3 (done) is not in the ledger as the record of promote holds it"]


def test_entries_put_at_the_end_behind_the_ledgers_back_are_found(settings):
    rows = ledger.entries(settings, NAME)
    row = {"pipeline": NAME, "sequence": 8, "kind": "triage", "effective_at": state.instant_text(MAY), "payload": "{}"}
    row |= {"recorded_at": state.instant_text(MAY), "previous_hash": rows[-1].hash}
    run_sql(settings, TABLE.insert().values(**row, hash=chain.row_hash(row)))
    assert refused(settings) == ["the newest entry is 8, and only 7 were appended: the end was made up"]


def test_a_promotion_without_a_passed_decision_puts_nothing_in_force(settings):
    act(settings, NAME, "done", 3, 9, at=APRIL, previous=2)
    assert refused(settings) == ["entry 8 (done) promotes version 3, and no promotion of it was begun"]


@pytest.mark.parametrize(
    "made",
    [
        decision(3, at=APRIL, champion=2, outcome="refused", why="refused"),
        decision(3, at=APRIL, champion=2, checks=()),
        decision(3, at=APRIL, champion=2, checks=(Check("floor", False, 0.1, "too low"),)),
    ],
)
def test_a_promotion_by_a_decision_whose_checks_did_not_pass_is_found(settings, made):
    begin(settings, NAME, 3, record(settings, NAME, made).sequence or 0, at=APRIL, previous=2)
    assert refused(settings) == ["entry 9 (intended) promotes version 3, which decide did not pass"]


def test_a_promotion_by_a_decision_that_decide_has_no_record_of_is_found(settings):
    payload = ledger.payload_of(decision(3, at=APRIL, champion=2))
    made_up = ledger.append(settings, NAME, kind="decision", effective_at=APRIL, payload=payload)
    assert not ledger.on_record(settings, made_up)
    begin(settings, NAME, 3, made_up.sequence, at=APRIL, previous=2)
    assert refused(settings) == ["entry 9 (intended) promotes version 3, which decide did not pass"]


def test_a_decision_on_record_is_told_from_one_with_another_content(settings):
    decided(settings, NAME, 3, at=MAY, champion=2)
    entry = ledger.entries(settings, NAME)[-1]
    assert ledger.on_record(settings, entry)
    save(settings, NAME, "decide", MAY, {**entry.payload, "why": "else", "sequence": 99})
    run_sql(
        settings, tables.stage_runs.delete().where(tables.stage_runs.c.record.like(f'%"sequence": {entry.sequence}%'))
    )
    assert not ledger.on_record(settings, entry)


def test_what_was_acknowledged_is_left_out_and_anything_new_is_found(settings):
    run_sql(settings, TABLE.delete().where(TABLE.c.sequence > 4))
    ledger.acknowledge(settings, NAME, problems=refused(settings), why="restored from a backup", who="ops")
    assert ledger.verify(settings, NAME) == []
    assert ledger.champion_at(settings, NAME, MAY) == 1
    put_in_force(settings, NAME, 3, MAY, previous=1)
    assert ledger.champion_at(settings, NAME, MAY) == 3
    run_sql(settings, TABLE.delete().where(TABLE.c.sequence > 6))
    assert refused(settings)


def test_a_home_from_before_heads_were_written_down_verifies(settings):
    run_sql(settings, tables.ledger_heads.delete())
    assert ledger.verify(settings, NAME) == []
    decided(settings, NAME, 3, at=MAY, champion=2)
    run_sql(settings, TABLE.delete().where(TABLE.c.sequence == 8), tables.stage_runs.delete())
    assert "the newest entry is 7, and entry 8 was appended: the end was cut off" in refused(settings)
