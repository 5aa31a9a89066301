"""The ledger: a chain without gaps, a compare-and-set, and every way of tampering found."""

import multiprocessing
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from tests.support.ledger_entries import begin, decided, put_in_force
from tests.support.waiting import bound

from airloop.errors import DataContractError, GuardRefused
from airloop.records import run_context
from airloop.settings import Settings
from airloop.stores import ledger, state, tables
from airloop.stores.ledger import Draft, chain

MARCH, APRIL, MAY = (datetime(2013, month, 1, tzinfo=UTC) for month in (3, 4, 5))
TABLE = tables.ledger_entries


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path)


def add(settings, *, kind="decision", effective_at=MARCH, pipeline="flights", **payload):
    return ledger.append(settings, pipeline, kind=kind, effective_at=effective_at, payload=payload)


def run_sql(settings, statement):
    with state.transaction(settings) as connection:
        connection.execute(statement)


def test_entries_are_chained_from_the_first(settings):
    first, second = add(settings, version=1), add(settings, version=2, kind="triage")
    assert (first.sequence, second.sequence) == (1, 2)
    assert second.previous_hash == first.hash
    assert ledger.entries(settings, "flights") == (first, second)
    assert ledger.entries(settings, "flights", kind="triage") == (second,)
    assert ledger.head(settings, "flights") == 2
    assert ledger.verify(settings, "flights") == []


def test_pipelines_have_chains_of_their_own(settings):
    add(settings)
    assert add(settings, pipeline="trains").sequence == 1
    assert ledger.head(settings, "ships") == 0


def test_append_is_refused_when_somebody_decided_meanwhile(settings):
    ledger.append(settings, "flights", kind="decision", effective_at=MARCH, payload={}, expected_head=0)
    with pytest.raises(GuardRefused, match="somebody else decided meanwhile"):
        ledger.append(settings, "flights", kind="decision", effective_at=MARCH, payload={}, expected_head=0)
    ledger.append(settings, "flights", kind="decision", effective_at=MARCH, payload={}, expected_head=1)
    assert ledger.head(settings, "flights") == 2


@pytest.mark.parametrize(("expected_head", "refused"), [(None, False), (0, True)])
def test_a_number_taken_by_a_faster_writer_is_retried_or_refused(settings, monkeypatch, expected_head, refused):
    add(settings)
    honest, heads = chain._head, [(0, "0" * 64)]  # what this writer read before the other one committed
    monkeypatch.setattr(chain, "_head", lambda *args: heads.pop() if heads else honest(*args))
    options = {"kind": "decision", "effective_at": MARCH, "payload": {}, "expected_head": expected_head}
    if refused:
        with pytest.raises(GuardRefused, match="meanwhile"):
            ledger.append(settings, "flights", **options)
    else:
        assert ledger.append(settings, "flights", **options).sequence == 2


def write_fifty(settings, writer):
    """What a process of its own writes, with two threads."""
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda line: add(settings, writer=writer, line=line), range(50)))


def test_two_hundred_appends_from_several_processes_leave_one_chain_without_a_gap(settings):
    add(settings)
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=write_fifty, args=(settings, writer)) for writer in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(bound(120))
    assert [writer.exitcode for writer in writers] == [0] * 4
    entries = ledger.entries(settings, "flights")
    assert [entry.sequence for entry in entries] == list(range(1, 202))
    assert len({(entry.payload.get("writer"), entry.payload.get("line")) for entry in entries}) == 201
    assert ledger.verify(settings, "flights") == []


def test_simultaneous_writers_of_the_same_entry_add_it_once(settings):
    def write(_):
        return ledger.append_once(
            settings,
            "flights",
            kind="triage",
            make=lambda seen: next(iter(seen), Draft(MARCH, {"window": "March"})),
            kinds=["triage"],
        )

    with ThreadPoolExecutor(8) as pool:
        assert {entry.sequence for entry in pool.map(write, range(8))} == {1}


def test_writing_is_given_up_when_the_head_never_stands_still(settings, monkeypatch):
    add(settings)
    monkeypatch.setattr(chain, "_ATTEMPTS", 3)
    heads = iter(range(100))
    monkeypatch.setattr(chain, "_head", lambda *_: (next(heads) % 2, "0" * 64))
    monkeypatch.setattr(chain, "head", lambda *_: 5)
    with pytest.raises(GuardRefused, match="the head moved 3 times meanwhile"):
        ledger.append_once(settings, "flights", kind="triage", make=lambda _: Draft(MARCH, {}), kinds=["triage"])


def test_a_number_that_is_always_taken_is_given_up(settings, monkeypatch):
    add(settings)
    monkeypatch.setattr(chain, "_ATTEMPTS", 3)
    monkeypatch.setattr(chain, "_head", lambda *_: (0, "0" * 64))
    with pytest.raises(GuardRefused, match="no free number after 3 attempts"):
        add(settings)


def test_what_is_looked_at_is_bounded_by_kind_and_data_time(settings):
    wanted = add(settings, kind="triage", effective_at=APRIL)
    add(settings, kind="triage", effective_at=MARCH)
    add(settings, effective_at=APRIL)
    looked_at = []
    options = {"kinds": ["triage"], "effective_at": APRIL}
    ledger.append_once(
        settings, "flights", kind="triage", make=lambda seen: looked_at.extend(seen) or seen[0], **options
    )
    assert looked_at == [wanted]


@pytest.mark.parametrize(
    ("stage", "kind", "written"),
    [
        ("decide", "decision", True),
        ("train", "decision", False),
        ("triage", "triage", True),
        ("evaluate", "triage", False),
        ("promote", "done", True),
        ("score", "done", False),
        ("monitor", "acknowledged", False),
        (None, "acknowledged", True),
    ],
)
def test_a_kind_is_written_by_its_stage_only(settings, stage, kind, written):
    with run_context.working_as(stage):
        if written:
            assert add(settings, kind=kind).kind == kind
            return
        with pytest.raises(GuardRefused, match=f"stage {stage} writes no entries of kind '{kind}'"):
            add(settings, kind=kind)
    assert ledger.head(settings, "flights") == 0


@pytest.mark.parametrize(
    ("tamper", "says"),
    [
        (lambda: TABLE.update().where(TABLE.c.sequence == 2).values(payload='{"version":9}'), "entry 2 .* was changed"),
        (lambda: TABLE.update().where(TABLE.c.sequence == 3).values(recorded_at="x"), "entry 3 .* was changed"),
        (lambda: TABLE.update().where(TABLE.c.sequence == 4).values(kind="triage"), "entry 4 .* was changed"),
        (lambda: TABLE.delete().where(TABLE.c.sequence == 1), "entry 2 follows entry 0"),
        (lambda: TABLE.delete().where(TABLE.c.sequence == 3), "entry 4 follows entry 2"),
        (lambda: TABLE.update().where(TABLE.c.sequence == 4).values(hash="f" * 64), "entry 4 .* was changed"),
    ],
)
def test_a_changed_or_deleted_entry_is_found(settings, tamper, says):
    for version in range(1, 5):
        add(settings, version=version)
    run_sql(settings, tamper())
    assert any(re.search(says, problem) for problem in ledger.verify(settings, "flights"))
    with pytest.raises(GuardRefused, match="does not verify"):
        ledger.require_intact(settings, "flights")


def test_an_entry_replaced_together_with_its_hash_is_found(settings):
    for version in (1, 2, 3):
        add(settings, version=version)
    with state.transaction(settings) as connection:
        row = dict(connection.execute(sa.select(TABLE).where(TABLE.c.sequence == 2)).mappings().one())
        row["payload"] = '{"version":9}'
        row["hash"] = chain.row_hash(row)
        connection.execute(TABLE.update().where(TABLE.c.sequence == 2).values(**row))
    assert ledger.verify(settings, "flights") == ["entry 3 does not continue entry 2: one of them was replaced"]


def test_an_inserted_entry_is_found(settings):
    add(settings)
    forged = {"pipeline": "flights", "sequence": 2, "kind": "done", "effective_at": "x", "payload": "{}"}
    run_sql(settings, TABLE.insert().values(**forged, recorded_at="x", previous_hash="0" * 64, hash="0" * 64))
    assert len(ledger.verify(settings, "flights")) >= 2


@pytest.mark.parametrize(
    ("instant", "version"),
    [
        (datetime(2013, 2, 28, 23, 59, tzinfo=UTC), None),
        (MARCH, 1),
        (datetime(2013, 3, 31, 23, 59, tzinfo=UTC), 1),
        (APRIL, 3),
        (datetime(2014, 1, 1, tzinfo=UTC), 4),
    ],
)
def test_champion_in_force_follows_data_time_and_ties_go_to_the_newest(settings, instant, version):
    for promoted, effective_at in ((1, MARCH), (2, APRIL), (3, APRIL), (4, MAY)):
        put_in_force(settings, "flights", promoted, effective_at)
    begin(settings, "flights", 5, decided(settings, "flights", 5, at=MAY), at=MAY)
    assert ledger.champion_at(settings, "flights", instant) == version


def test_history_at_an_instant_holds_what_had_taken_effect(settings):
    early, _ = add(settings, effective_at=MARCH), add(settings, effective_at=MAY)
    late = add(settings, effective_at=APRIL)
    assert ledger.at(settings, "flights", APRIL) == (early, late)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"kind": "promoted"}, "kinds: trained, decision"),
        ({"gain": float("nan")}, "JSON only"),
        ({"gain": float("inf")}, "JSON only"),
        ({"when": MARCH}, "JSON only"),
        ({"why": "half a character \ud800"}, "Unicode only"),
    ],
)
def test_what_the_ledger_cannot_hold_is_refused(settings, options, says):
    with pytest.raises(DataContractError, match=says):
        add(settings, **options)
    assert ledger.head(settings, "flights") == 0
