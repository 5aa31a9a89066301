"""The state database: one row per input, one owner per reason, and no secret in a message."""

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier, Timer

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from tests.support.waiting import bound

from airloop.errors import ConfigError, UpstreamUnavailable
from airloop.records import Window
from airloop.settings import Settings, load_settings
from airloop.stores import claims, state, tables

START = datetime(2020, 1, 1, tzinfo=UTC)
DAY = Window(START, START + timedelta(days=1))
NEXT_DAY = Window(START + timedelta(days=1), START + timedelta(days=2))
BOTH_DAYS = Window(START, START + timedelta(days=2))
WRITERS = 8


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path)


def _save(settings: Settings, key: str, *, window: Window = DAY, stage: str = "ingest", pipeline: str = "toy") -> None:
    state.save_record(settings, pipeline, stage, input_key=key, window=window, record={"key": key})


def _keys(settings: Settings, window: Window | None = None) -> list[str]:
    return [record["key"] for record in state.latest_records(settings, "toy", "ingest", window=window)]


def _at_once(function: Callable[[int], object]) -> list[object]:
    barrier = Barrier(WRITERS)

    def start(number: int) -> object:
        barrier.wait(timeout=bound(30))
        return function(number)

    with ThreadPoolExecutor(WRITERS) as pool:
        return list(pool.map(start, range(WRITERS)))


def test_a_record_is_found_by_its_input_key_alone(settings: Settings) -> None:
    _save(settings, "a")
    assert state.find_record(settings, "toy", "ingest", "a") == {"key": "a"}
    assert state.find_record(settings, "toy", "ingest", "b") is None
    assert state.find_record(settings, "toy", "validate_raw", "a") is None
    assert state.find_record(settings, "other", "ingest", "a") is None


def test_a_second_save_under_the_same_key_changes_nothing(settings: Settings) -> None:
    _save(settings, "a")
    state.save_record(settings, "toy", "ingest", input_key="a", window=DAY, record={"key": "changed"})
    assert _keys(settings) == ["a"]


def test_many_threads_saving_one_key_leave_one_row(settings: Settings) -> None:
    _at_once(lambda _: _save(settings, "a"))
    assert _keys(settings) == ["a"]


def test_many_threads_saving_their_own_keys_lose_none(settings: Settings) -> None:
    _at_once(lambda number: _save(settings, str(number)))
    assert sorted(_keys(settings)) == [str(number) for number in range(WRITERS)]


def test_records_come_newest_last_and_of_exactly_the_window(settings: Settings) -> None:
    for key, window in (("b", DAY), ("a", NEXT_DAY), ("c", DAY), ("d", BOTH_DAYS)):
        _save(settings, key, window=window)
    assert _keys(settings) == ["b", "a", "c", "d"]
    assert _keys(settings, DAY) == ["b", "c"]
    assert _keys(settings, BOTH_DAYS) == ["d"]


@pytest.mark.parametrize("later", [DAY, BOTH_DAYS])
def test_a_record_falls_when_another_input_ran_later_over_its_window(settings: Settings, later: Window) -> None:
    _save(settings, "a")
    _save(settings, "b", window=later)
    state.forget_overwritten(settings, "toy", "ingest", input_key="a", window=DAY)
    assert _keys(settings) == ["b"]


def test_a_record_stands_while_nothing_later_ran_over_its_window(settings: Settings) -> None:
    _save(settings, "b")
    _save(settings, "a")
    _save(settings, "c", window=NEXT_DAY)
    _save(settings, "d", stage="validate_raw")
    _save(settings, "e", pipeline="other")
    for key in ("a", "never saved"):
        state.forget_overwritten(settings, "toy", "ingest", input_key=key, window=DAY)
    assert _keys(settings) == ["b", "a", "c"]


def test_a_started_stage_has_no_record_until_it_is_saved(settings: Settings) -> None:
    state.mark_started(settings, "toy", "ingest", input_key="a", window=DAY)
    assert state.find_record(settings, "toy", "ingest", "a") is None
    assert _keys(settings) == _keys(settings, DAY) == []
    _save(settings, "a")
    assert state.find_record(settings, "toy", "ingest", "a") == {"key": "a"}
    assert _keys(settings) == ["a"]


def test_records_come_in_the_order_in_which_they_were_saved_not_started(settings: Settings) -> None:
    for key in ("a", "b"):
        state.mark_started(settings, "toy", "ingest", input_key=key, window=DAY)
    for key in ("b", "a"):
        _save(settings, key)
    assert _keys(settings) == ["b", "a"]


@pytest.mark.parametrize("later", [DAY, BOTH_DAYS])
def test_a_record_falls_when_another_input_began_later_and_was_never_saved(settings: Settings, later: Window) -> None:
    _save(settings, "a")
    state.mark_started(settings, "toy", "ingest", input_key="b", window=later)
    state.forget_overwritten(settings, "toy", "ingest", input_key="a", window=DAY)
    assert state.find_record(settings, "toy", "ingest", "a") is None


def test_a_record_saved_after_a_killed_start_stands_until_that_start_is_tried_again(settings: Settings) -> None:
    state.mark_started(settings, "toy", "ingest", input_key="b", window=DAY)
    _save(settings, "a")
    state.forget_overwritten(settings, "toy", "ingest", input_key="a", window=DAY)
    assert _keys(settings) == ["a"]
    state.mark_started(settings, "toy", "ingest", input_key="b", window=DAY)
    state.forget_overwritten(settings, "toy", "ingest", input_key="a", window=DAY)
    assert _keys(settings) == []


def test_a_start_beside_a_record_of_the_same_input_changes_nothing(settings: Settings) -> None:
    _save(settings, "a")
    state.mark_started(settings, "toy", "ingest", input_key="a", window=DAY)
    assert state.find_record(settings, "toy", "ingest", "a") == {"key": "a"}


def test_a_reason_has_exactly_one_winner_among_many(settings: Settings) -> None:
    won = _at_once(lambda number: claims.claim_reason(settings, "toy", reason_key="r", run_key=f"run {number}"))
    assert sorted(won) == [False] * (WRITERS - 1) + [True]
    assert claims.reason_owner(settings, "toy", "r") == f"run {won.index(True)}"


def test_the_owner_of_a_reason_may_claim_it_again_and_nobody_else(settings: Settings) -> None:
    assert claims.claim_reason(settings, "toy", reason_key="r", run_key="mine")
    assert claims.claim_reason(settings, "toy", reason_key="r", run_key="mine")
    assert not claims.claim_reason(settings, "toy", reason_key="r", run_key="other")


def test_reasons_of_two_pipelines_are_two_reasons(settings: Settings) -> None:
    assert claims.claim_reason(settings, "toy", reason_key="r", run_key="one")
    assert claims.claim_reason(settings, "other", reason_key="r", run_key="two")
    assert claims.reason_owner(settings, "toy", "unheard of") is None


def test_an_error_inside_a_transaction_takes_everything_back(settings: Settings) -> None:
    row = {"pipeline": "toy", "reason_key": "r", "run_key": "x", "claimed_at": "now"}

    def fail() -> None:
        with state.transaction(settings) as connection:
            connection.execute(tables.answered_reasons.insert().values(**row))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert claims.reason_owner(settings, "toy", "r") is None


def test_sqlite_writes_ahead_so_that_readers_and_a_writer_do_not_wait_for_each_other(settings: Settings) -> None:
    with state.transaction(settings) as connection:
        assert connection.execute(sa.text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(sa.text("PRAGMA busy_timeout")).scalar() == 30000


@pytest.mark.parametrize(
    "url", ["postgresql://user:secret@127.0.0.1:1/x", "postgresql+psycopg2://user:secret@127.0.0.1:1/x"]
)
def test_an_unreachable_database_is_retried_and_shows_no_password(url: str, tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path, state_url=url)
    with pytest.raises(UpstreamUnavailable, match=r"127\.0\.0\.1") as refused:
        _save(settings, "a")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("url", ["no url", "nosuchdatabase://user:secret@host/x", "mysql://user:secret@host/x"])
def test_a_url_that_names_no_usable_database_is_the_authors_mistake(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="AIRLOOP_STATE_URL") as refused:
        _save(load_settings(home=tmp_path, state_url=url), "a")
    assert "secret" not in str(refused.value)


def test_a_process_that_meets_a_new_database_while_another_makes_it_waits(settings: Settings) -> None:
    other = sqlite3.connect(settings.home / "state.db", isolation_level=None, check_same_thread=False)
    # The busy timeout covers every wait but this one: the switch to write-ahead beside a transaction of before it.
    other.execute("BEGIN IMMEDIATE")
    done = Timer(0.3, other.rollback)
    done.start()
    _save(settings, "a")
    done.join()
    other.close()
    assert _keys(settings) == ["a"]


def test_a_transaction_takes_the_write_lock_at_once_so_that_none_fails_halfway(settings: Settings) -> None:
    with state.transaction(settings):
        impatient = sqlite3.connect(settings.home / "state.db", timeout=0)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            impatient.execute("DELETE FROM stage_runs")
        impatient.close()


@given(
    instants=st.lists(
        st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.timezones()), min_size=2, max_size=5
    )
)
def test_stored_instants_sort_as_text_like_they_do_in_time(instants: list[datetime]) -> None:
    texts = sorted(state.instant_text(instant) for instant in instants)
    assert texts == [state.instant_text(instant) for instant in sorted(instants, key=lambda item: item.astimezone(UTC))]


def test_reading_waits_for_no_writer_and_sees_what_was_committed(settings: Settings) -> None:
    _save(settings, "k")
    with state.transaction(settings) as writer:
        writer.execute(sa.delete(tables.stage_runs))
        # A reader that waited for this writer would wait for ever: the busy timeout ends it with an error.
        assert state.find_record(settings, "toy", "ingest", "k") == {"key": "k"}
    assert state.find_record(settings, "toy", "ingest", "k") is None
