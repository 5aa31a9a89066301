"""A replay holds its pipeline's inbox while it lives, and no other's."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.waiting import bound

from airloop.settings import Settings, load_settings
from airloop.stores.replay_hold import hold, is_held

HOLD = """
import sys
from airloop.settings import load_settings
from airloop.stores.replay_hold import hold
with hold(load_settings(home=sys.argv[1]), "toy"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path)


def test_an_inbox_is_held_until_the_last_replay_lets_go(settings: Settings) -> None:
    assert not is_held(settings, "toy")
    with hold(settings, "toy"):
        with hold(settings, "toy"):
            assert is_held(settings, "toy")
        assert is_held(settings, "toy")
        assert not is_held(settings, "other")
    assert not is_held(settings, "toy")


def test_a_replay_that_is_killed_lets_go(settings: Settings) -> None:
    command = [sys.executable, "-c", HOLD, str(settings.home)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == "held"
        assert is_held(settings, "toy")
        holder.kill()
        holder.wait(timeout=bound(20))
        assert not is_held(settings, "toy")
