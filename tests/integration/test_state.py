"""The state database of production: PostgreSQL, and several processes that meet it for the first time at once."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.support.ledger_entries import put_in_force, triaged
from tests.support.waiting import bound

from airloop.errors import GuardRefused
from airloop.settings import Settings, load_settings
from airloop.stores import claims, ledger, state, tables
from airloop.stores.ledger import followed, seals

pytestmark = pytest.mark.integration

CLAIMERS, REASONS = 8, 40
# Each process makes the tables, stores a record under the common key and claims every common reason twice.
CLAIM = """
import sys
from airloop.records import Window
from airloop.settings import load_settings
from airloop.stores import claims, state

home, url, me, reasons = sys.argv[1:]
settings = load_settings(home=home, state_url=url)
print("ready", flush=True)
sys.stdin.readline()
window = Window.parse("2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z")
state.save_record(settings, "toy", "ingest", input_key="key", window=window, record={"by": me})
for reason in range(int(reasons)):
    print(*(claims.claim_reason(settings, "toy", reason_key=str(reason), run_key=me) for _ in range(2)))
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    if request.param == "sqlite":
        return load_settings(home=tmp_path)
    return load_settings(home=tmp_path, state_url=request.getfixturevalue("shop_url"))


def test_processes_that_meet_a_new_database_at_once_leave_one_record_and_one_winner_a_reason(
    settings: Settings,
) -> None:
    arguments = [str(settings.home), settings.state_url]
    claimers = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIM, *arguments, f"run {number}", str(REASONS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(CLAIMERS)
    ]
    for claimer in claimers:
        assert claimer.stdout.readline() == "ready\n"
    for claimer in claimers:
        claimer.stdin.write("go\n")
        claimer.stdin.flush()
    answers = []
    for claimer in claimers:
        with claimer:
            answers.append(claimer.communicate(timeout=bound(120))[0].splitlines())
    assert [claimer.returncode for claimer in claimers] == [0] * CLAIMERS
    for reason, of_each in enumerate(zip(*answers, strict=True)):
        assert sorted(of_each) == ["False False"] * (CLAIMERS - 1) + ["True True"]
        assert claims.reason_owner(settings, "toy", str(reason)) == f"run {of_each.index('True True')}"
    assert len(state.latest_records(settings, "toy", "ingest")) == 1


def test_a_ledger_is_compared_with_its_seals_and_a_changed_entry_is_found(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seals, "CHUNK", 5)
    march, entries = datetime(2013, 3, 1, tzinfo=UTC), tables.ledger_entries
    put_in_force(settings, "followed", 1, march)
    for day in range(20):
        triaged(settings, "followed", march + timedelta(days=day), champion=1, kind="nothing")
    ledger.require_intact(settings, "followed")
    with monkeypatch.context() as patched:
        patched.setattr(followed, "look", lambda *_: pytest.fail("everything is verified anew"))
        assert ledger.require_intact(settings, "followed").champion() == 1
    with state.transaction(settings) as connection:
        changed = entries.update().where(entries.c.pipeline == "followed", entries.c.sequence == 9)
        connection.execute(changed.values(payload='{"why":"it is fine"}'))
    with pytest.raises(GuardRefused, match="9"):
        ledger.require_intact(settings, "followed")
