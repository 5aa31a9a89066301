"""The state database of production: PostgreSQL, and several processes that meet it for the first time at once."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.waiting import bound

from airloop.settings import Settings, load_settings
from airloop.stores import claims, state

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
