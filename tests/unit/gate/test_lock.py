"""A lock stops promotions and nothing else; a person sets it and a person lifts it, each with a reason."""

from datetime import UTC, datetime

import pytest
from tests.support import ledger_entries

from airloop.errors import ConfigError, GuardRefused
from airloop.gate import lock
from airloop.stores import ledger

NAME = "toy"
MARCH = datetime(2013, 3, 1, tzinfo=UTC)


def history(settings):
    return ledger.history(settings, NAME)


def test_a_lock_refuses_promotions_until_it_is_lifted(toy_settings):
    lock.refuse_promotion(history(toy_settings))
    lock.lock(toy_settings, NAME, why="outcomes are wrong", who="anna")
    with pytest.raises(GuardRefused, match=r"locked by a lock of anna, ledger entry 1 \(outcomes are wrong\)"):
        lock.refuse_promotion(history(toy_settings))
    lock.unlock(toy_settings, NAME, why="mended", who="boris")
    lock.refuse_promotion(history(toy_settings))
    assert [entry.kind for entry in ledger.entries(toy_settings, NAME)] == ["locked", "unlocked"]


def test_locking_or_unlocking_twice_adds_nothing(toy_settings):
    first = lock.lock(toy_settings, NAME, why="one", who="anna")
    assert lock.lock(toy_settings, NAME, why="two", who="boris") == first
    lifted = lock.unlock(toy_settings, NAME, why="three", who="anna")
    assert lock.unlock(toy_settings, NAME, why="four", who="boris") == lifted
    assert ledger.head(toy_settings, NAME) == 2


def test_what_was_never_locked_cannot_be_unlocked_and_a_reason_is_required(toy_settings):
    with pytest.raises(GuardRefused, match="promotions of toy are not locked"):
        lock.unlock(toy_settings, NAME, why="why not", who="anna")
    for act in (lock.lock, lock.unlock):
        with pytest.raises(ConfigError, match="a reason is required"):
            act(toy_settings, NAME, why=" ", who="anna")
    assert ledger.head(toy_settings, NAME) == 0


def test_it_stands_at_the_newest_data_time(toy_settings):
    ledger_entries.put_in_force(toy_settings, NAME, 1, MARCH)
    assert lock.lock(toy_settings, NAME, why="outcomes are wrong", who="anna").effective_at == MARCH
