"""A ledger or a record that somebody wrote into is told in a line, shown as far as it can be read, and gone on with."""

import pytest
from tests.support import ledger_entries
from tests.support.command import Airloop

from airloop.errors import AirloopError, GuardRefused, UpstreamUnavailable
from airloop.settings import Settings
from airloop.stores import ledger, state

# MLflow 3.17 on SQLAlchemy 2.1; it goes when MLflow stops using `noload`.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:sqlalchemy.exc.SADeprecationWarning")

SPOILED = {
    "no JSON": "UPDATE ledger SET payload = '{' WHERE kind = 'done' AND sequence = 6",
    "a list": "UPDATE ledger SET payload = '[1]' WHERE kind = 'decision' AND sequence = 4",
    "no text": "UPDATE ledger SET payload = x'00ff' WHERE kind = 'decision' AND sequence = 4",
    "no time": "UPDATE ledger SET effective_at = 'soon' WHERE kind = 'done' AND sequence = 6",
}


@pytest.fixture
def decided(toy_settings: Settings) -> Settings:
    ledger_entries.two_champions(toy_settings)
    return toy_settings


@pytest.mark.parametrize("spoil", SPOILED)
def test_an_entry_that_cannot_be_read_is_named_and_nothing_acts_on_the_ledger(
    decided: Settings, airloop: Airloop, spoil: str
) -> None:
    ledger_entries.run_sql(decided, SPOILED[spoil])
    number = int(SPOILED[spoil].rpartition(" ")[2])
    with pytest.raises(GuardRefused, match=f"entry {number} .* was changed"):
        ledger.require_intact(decided, "toy")
    shown = airloop("ledger", "show", "toy")
    assert (shown.code, shown.err, f"│ {number} │ unreadable" in shown.out) == (0, "", True)
    assert airloop("ledger", "at", "toy", "2020-02-01").code == 0
    verified = airloop("ledger", "verify", "toy")
    assert (verified.code, f"entry {number}" in verified.out) == (1, True)
    assert number not in {
        entry.sequence for kind in ledger.KINDS for entry in ledger.entries(decided, "toy", kind=kind)
    }


@pytest.mark.parametrize("spoil", ["no JSON", "a list", "no text"])
def test_a_person_goes_on_with_what_can_be_read(decided: Settings, airloop: Airloop, spoil: str) -> None:
    ledger_entries.run_sql(decided, SPOILED[spoil])
    assert airloop("ledger", "acknowledge", "toy", "--why", "the disk was broken").code == 0
    assert airloop("ledger", "verify", "toy").code == 0
    assert ledger.require_intact(decided, "toy").champion() == (1 if spoil == "no JSON" else 2)


@pytest.mark.parametrize("payload", ["{}", '{"version":"x"}', '{"version":null}'])
@pytest.mark.parametrize("kind", ["decision", "intended", "done"])
def test_an_entry_about_no_version_changes_nothing_and_shows(
    decided: Settings, airloop: Airloop, kind: str, payload: str
) -> None:
    ledger_entries.run_sql(decided, f"UPDATE ledger SET payload = '{payload}' WHERE kind = '{kind}' AND sequence > 3")
    assert airloop("ledger", "show", "toy").code == 0
    assert airloop("ledger", "at", "toy", "2020-02-01").code == 0
    assert "was changed" in airloop("ledger", "verify", "toy").out
    assert airloop("ledger", "acknowledge", "toy", "--why", "the disk was broken").code == 0
    history = ledger.require_intact(decided, "toy")
    assert history.champion() == (1 if kind == "done" else 2)
    assert (history.open_move() is not None) == (kind == "done")


@pytest.mark.parametrize("record", ["{", "[]", "7"])
def test_a_record_that_cannot_be_read_is_named(decided: Settings, airloop: Airloop, record: str) -> None:
    ledger_entries.run_sql(decided, f"UPDATE stage_runs SET record = '{record}' WHERE stage = 'decide'")
    verified = airloop("ledger", "verify", "toy")
    assert (verified.code, "a record of decide cannot be read" in verified.out) == (1, True)
    with pytest.raises(GuardRefused, match="a record of decide cannot be read"):
        ledger.intact_history(decided, "toy")
    with pytest.raises(AirloopError, match="a record of stage decide cannot be read, somebody wrote it: restore"):
        state.latest_records(decided, "toy", "decide")


def test_an_untouched_ledger_is_read_whole(decided: Settings) -> None:
    assert [entry.kind for entry in ledger.entries(decided, "toy")] == ["decision", "intended", "done"] * 2
    assert ledger.require_intact(decided, "toy").champion() == 2


def test_a_state_database_that_is_none_is_one_line(toy_settings: Settings, airloop: Airloop) -> None:
    toy_settings.home.mkdir(exist_ok=True)
    (toy_settings.home / "state.db").write_bytes(b"hello" * 1000)
    refused = airloop("ledger", "show", "toy")
    assert (refused.code, len(refused.err.splitlines())) == (1, 1)
    assert "file is not a database: restore it from a backup" in refused.err
    with pytest.raises(UpstreamUnavailable, match="restore it from a backup"):
        state.latest_records(toy_settings, "toy", "decide")
