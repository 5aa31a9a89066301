"""`airloop ledger`: what it shows, what it finds, and the way out."""

import json

import pytest
from tests.support import ledger_entries, toy
from tests.support.command import Airloop, Outcome

from airloop.settings import Settings
from airloop.stores import ledger

# MLflow 3.17 on SQLAlchemy 2.1; it goes when MLflow stops using `noload`.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:sqlalchemy.exc.SADeprecationWarning")


@pytest.fixture
def decided(toy_settings: Settings) -> Settings:
    ledger_entries.two_champions(toy_settings)
    return toy_settings


def test_the_ledger_is_shown_in_order(airloop: Airloop, decided: Settings) -> None:
    entries = json.loads(airloop("ledger", "show", "toy", "--json").out)
    kinds = ["decision", "intended", "done"]
    assert [(entry["sequence"], entry["kind"]) for entry in entries] == list(enumerate(kinds * 2, start=1))
    table = airloop("ledger", "show", "toy").out
    assert table.index("v1 passed: it gains") < table.index("v2 passed: it gains")


def test_a_ledger_without_entries_says_so(toy_settings: Settings, airloop: Airloop) -> None:
    assert (
        airloop("ledger", "show", "toy").out == "nothing was decided yet; the first training writes the first entry\n"
    )
    assert json.loads(airloop("ledger", "show", "toy", "--json").out) == []


def test_the_ledger_says_who_took_whose_place(airloop: Airloop, decided: Settings) -> None:
    table = airloop("ledger", "show", "toy").out
    assert "v2 is to be the champion, by decision 4" in table
    assert "v2 is the champion, in place of v1" in table


@pytest.mark.parametrize(
    ("instant", "champion", "entries"),
    [
        ("2019-12-31T00:00:00Z", "none", 0),
        (toy.text(toy.START), "1", 3),
        ("2020-01-10T23:59:59Z", "1", 3),
        ("2020-01-11T00:00:00Z", "2", 6),
    ],
)
def test_the_ledger_says_what_was_in_force_at_an_instant(
    airloop: Airloop, decided: Settings, instant: str, champion: str, entries: int
) -> None:
    assert f"Z: {champion}\n" in airloop("ledger", "at", "toy", instant).out
    assert len(json.loads(airloop("ledger", "at", "toy", instant, "--json").out)) == entries


def test_an_intact_ledger_verifies(airloop: Airloop, decided: Settings) -> None:
    assert airloop("ledger", "verify", "toy") == Outcome(0, "6 entries, the chain holds\n", "")


def test_a_changed_entry_is_named_and_the_exit_code_is_1(airloop: Airloop, decided: Settings) -> None:
    ledger_entries.run_sql(decided, "UPDATE ledger SET effective_at = '2020-01-05T00:00:00.000000Z' WHERE sequence = 3")
    failed = airloop("ledger", "verify", "toy")
    assert failed.code == 1
    assert "entry 3 (done) was changed" in failed.out
    assert "restore the state database from a backup, or: airloop ledger acknowledge toy" in failed.out


def test_a_hash_from_a_log_finds_its_entry_or_says_that_it_is_gone(airloop: Airloop, decided: Settings) -> None:
    logged = ledger.entries(decided, "toy")[3].hash
    assert airloop("ledger", "verify", "toy", "--head", logged).code == 0
    assert airloop("ledger", "verify", "toy", "--head", logged[:12]).code == 0
    gone = airloop("ledger", "verify", "toy", "--head", "0" * 12)
    assert gone.code == 1
    assert "no entry has the hash 000000000000: it was cut off, or the chain was rewritten" in gone.out


def test_a_person_goes_on_with_a_cut_ledger_and_new_tampering_is_found_again(
    airloop: Airloop, decided: Settings
) -> None:
    ledger_entries.run_sql(decided, "DELETE FROM ledger WHERE sequence > 3")
    assert airloop("ledger", "verify", "toy").code == 1
    assert airloop("ledger", "acknowledge", "toy", "--why", " ").code == 1
    assert "2 problems acknowledged by entry 4" in airloop("ledger", "acknowledge", "toy", "--why", "restored").out
    ledger_entries.put_in_force(decided, "toy", 3, toy.days(11, 12).start, previous=1)
    assert "7 entries, the chain holds (2 problems acknowledged" in airloop("ledger", "verify", "toy").out
    assert ledger.champion_at(decided, "toy", toy.days(0, 20).end) == 3
    ledger_entries.run_sql(decided, "DELETE FROM ledger WHERE sequence > 6")
    assert "the end was cut off" in airloop("ledger", "verify", "toy").out


def test_there_is_nothing_to_acknowledge_in_a_ledger_that_verifies(airloop: Airloop, decided: Settings) -> None:
    refused = airloop("ledger", "acknowledge", "toy", "--why", "just so")
    assert refused.code == 1
    assert "verifies: there is nothing to acknowledge" in refused.err
