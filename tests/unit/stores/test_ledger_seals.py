"""What a process verified, the next one need not: it compares seals, reads as little of an old ledger as of a new one,
and finds every change all the same.
"""

import json
import shutil
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from tests.support.ledger_entries import decided, put_in_force, triaged

from airloop.errors import GuardRefused
from airloop.settings import Settings
from airloop.stores import ledger, state, tables
from airloop.stores.ledger import Followed, chain, followed, seal_file, seals

MARCH, APRIL, MAY = (datetime(2013, month, 1, tzinfo=UTC) for month in (3, 4, 5))
NAME = "flights"
TABLE, RUNS = tables.ledger_entries, tables.stage_runs
TRIAGES = 40


@pytest.fixture(scope="module")
def past(tmp_path_factory):
    """One champion and forty triages."""
    settings = Settings(home=tmp_path_factory.mktemp("past"))
    put_in_force(settings, NAME, 1, MARCH)
    for day in range(TRIAGES):
        triaged(settings, NAME, MARCH + timedelta(days=day), champion=1, kind="nothing")
    return settings


@pytest.fixture
def settings(past, tmp_path, monkeypatch):
    """The same, sealed five at a time by a process that verified them."""
    monkeypatch.setattr(seals, "CHUNK", 5)
    shutil.copytree(past.home, tmp_path, dirs_exist_ok=True)
    settings = Settings(home=tmp_path)
    ledger.require_intact(settings, NAME)
    return settings


@pytest.fixture
def verified(monkeypatch):
    """A line for each verification of everything."""
    lines = []
    whole = followed.look
    monkeypatch.setattr(followed, "look", lambda *given: lines.append("whole") or whole(*given))
    return lines


def file_of(settings):
    return settings.home / "run" / "ledger" / f"{NAME}.json"


def change(settings, *statements):
    with state.transaction(settings) as connection:
        for statement in statements:
            connection.execute(statement)


def changed_in_place(settings, number):
    change(settings, TABLE.update().where(TABLE.c.sequence == number).values(payload='{"why":"it is fine"}'))


def changed_with_its_hash(settings, number):
    with state.transaction(settings) as connection:
        row = dict(connection.execute(sa.select(TABLE).where(TABLE.c.sequence == number)).mappings().one())
        row["payload"] = chain.canonical(json.loads(row["payload"]) | {"why": "it is fine"})
        row["hash"] = chain.row_hash(row)
        connection.execute(TABLE.update().where(TABLE.c.sequence == number).values(**row))


def removed(settings, number):
    change(settings, TABLE.delete().where(TABLE.c.sequence == number))


def record_changed(settings, number):
    says = RUNS.c.record.like(f'%"sequence": {number}%')
    change(settings, RUNS.update().where(says).values(record=json.dumps({"sequence": number, "why": "it is fine"})))


def bytes_in_its_place(settings, number):
    as_bytes = sa.literal_column("CAST(payload AS BLOB)")
    change(settings, TABLE.update().where(TABLE.c.sequence == number).values(payload=as_bytes))


def no_text_in_its_place(settings, number):
    change(settings, TABLE.update().where(TABLE.c.sequence == number).values(payload=sa.literal_column("X'FFFE'")))


def written_over_two_columns(settings, number):
    kind = TABLE.c.kind + TABLE.c.effective_at
    change(settings, TABLE.update().where(TABLE.c.sequence == number).values(kind=kind, effective_at=""))


WAYS = (
    changed_in_place,
    changed_with_its_hash,
    removed,
    record_changed,
    bytes_in_its_place,
    no_text_in_its_place,
    written_over_two_columns,
)


def test_the_next_process_verifies_what_was_appended_and_nothing_else(settings, verified):
    for whole in (True, False):
        assert ledger.intact_history(settings, NAME, whole=whole).champion() == 1
    put_in_force(settings, NAME, 2, MAY, previous=1)
    for whole in (True, False):
        assert ledger.intact_history(settings, NAME, whole=whole) == ledger.history(settings, NAME)
    assert verified == []


@pytest.mark.parametrize("number", [4, 17, TRIAGES + 3])
@pytest.mark.parametrize("way", WAYS)
def test_whoever_decides_or_promotes_finds_a_change_anywhere(settings, way, number):
    way(settings, number)
    problems = ledger.verify(settings, NAME)
    assert problems
    for _ in range(2):
        with pytest.raises(GuardRefused, match="does not verify") as refused:
            ledger.require_intact(settings, NAME)
        assert problems[0] in str(refused.value)


@pytest.mark.parametrize("way", WAYS)
def test_a_stage_finds_a_change_of_what_decides_and_of_what_is_new(settings, way, monkeypatch):
    monkeypatch.setattr(followed, "NEWEST", 5)
    way(settings, TRIAGES if way is not record_changed else 1)
    with pytest.raises(GuardRefused, match="does not verify"):
        ledger.intact_history(settings, NAME)


def test_stages_take_every_older_seal_in_its_turn(settings, monkeypatch):
    monkeypatch.setattr(followed, "NEWEST", 5)
    changed_in_place(settings, 12)
    refused = 0
    for day in range(1, 9):  # as many as there are older seals
        triaged(settings, NAME, APRIL + timedelta(days=day), champion=1, kind="nothing")
        try:
            ledger.intact_history(settings, NAME)
        except GuardRefused:
            refused += 1
    assert refused


def test_a_stage_reads_as_many_rows_of_a_ledger_that_grows(settings, monkeypatch):
    monkeypatch.setattr(followed, "NEWEST", 10)
    read = []
    whole, in_chunks = seals.Sealed.read, seals.Sealed.chunks

    def counted(*given, **more):
        rows = whole(*given, **more)
        read.append(len(rows))
        return rows

    def counted_chunks(*given, **more):
        for rows in in_chunks(*given, **more):
            read.append(len(rows))
            yield rows

    monkeypatch.setattr(seals.Sealed, "read", counted)
    monkeypatch.setattr(seals.Sealed, "chunks", counted_chunks)

    def rows_of_a_look():
        read.clear()
        ledger.intact_history(settings, NAME)
        return sum(read)

    before = rows_of_a_look()
    for day in range(TRIAGES):
        triaged(settings, NAME, APRIL + timedelta(days=day), champion=1, kind="nothing")
        ledger.intact_history(settings, NAME)
    assert rows_of_a_look() == before


def test_seals_are_for_the_owner_alone(settings):
    assert file_of(settings).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in file_of(settings).parent.iterdir()] == [f"{NAME}.json"]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"entries": 3}'])
def test_seals_that_cannot_be_read_cost_a_verification(settings, verified, text):
    file_of(settings).write_text(text, encoding="utf-8")
    assert ledger.require_intact(settings, NAME).champion() == 1
    assert ledger.require_intact(settings, NAME).champion() == 1
    assert verified == ["whole"]


def test_without_a_place_for_seals_every_process_verifies_everything(settings, verified):
    file_of(settings).unlink()
    file_of(settings).parent.rmdir()
    file_of(settings).parent.write_text("a file in its place", encoding="utf-8")
    for _ in range(2):
        assert ledger.require_intact(settings, NAME).champion() == 1
    assert verified == ["whole", "whole"]


def test_an_older_database_is_verified_anew_and_sealed_again(settings, verified):
    newest = ledger.entries(settings, NAME)[29]
    change(
        settings,
        TABLE.delete().where(TABLE.c.sequence > 30),
        RUNS.delete().where(RUNS.c.stage == "triage", RUNS.c.id > 28),
        tables.ledger_heads.update().values(sequence=30, hash=newest.hash),
    )
    assert ledger.verify(settings, NAME) == []
    for _ in range(2):
        assert ledger.require_intact(settings, NAME).champion() == 1
    assert verified == ["whole"]


def test_what_a_person_acknowledged_is_sealed_with_the_rest(settings, verified):
    changed_in_place(settings, 12)
    ledger.acknowledge(settings, NAME, problems=ledger.verify(settings, NAME), why="the disk was broken", who="ops")
    for _ in range(3):
        assert ledger.require_intact(settings, NAME).champion() == 1
    assert verified == ["whole"]
    changed_in_place(settings, 13)
    with pytest.raises(GuardRefused, match=r"entry 13 .* was changed"):
        ledger.require_intact(settings, NAME)


def test_seals_are_kept_again_after_some_entries_and_not_at_each_look(settings):
    before = file_of(settings).read_text(encoding="utf-8")
    decided(settings, NAME, 2, at=MAY, champion=1)
    ledger.require_intact(settings, NAME)
    assert file_of(settings).read_text(encoding="utf-8") == before
    for day in range(20):
        triaged(settings, NAME, MAY + timedelta(days=day), champion=1, kind="nothing")
    ledger.require_intact(settings, NAME)
    sealed = seal_file.read(settings, NAME)
    assert sealed is not None
    assert sealed.last("entries") == ledger.head(settings, NAME)


def test_a_service_that_is_told_to_forget_verifies_everything(settings, verified):
    known = Followed(settings, NAME)
    known.intact_history()
    assert verified == []
    known.forget()
    known.intact_history()
    assert verified == ["whole"]
