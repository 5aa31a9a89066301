"""A rollback puts a former champion in force from a data time on, once per request, whoever else moves the champion."""

import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from mlflow import MlflowClient
from tests.support import ledger_entries, marked_points

from airloop.config import load_pipeline
from airloop.deployment import Deployment
from airloop.errors import AirloopError, ConfigError, DataContractError, GuardRefused
from airloop.gate import going_back, lock, promote, roll_back
from airloop.gate.reconcile import reconcile
from airloop.records import Scored, Window
from airloop.run import stage_run
from airloop.settings import Settings
from airloop.stores import ledger, state
from airloop.stores.mlflow import registry

# MLflow 3.17 on SQLAlchemy 2.1; it goes when MLflow stops using `noload`.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:sqlalchemy.exc.SADeprecationWarning")

NAME = "flight_delays"
MARCH, APRIL, MAY, JUNE = (datetime(2013, month, 1, tzinfo=UTC) for month in (3, 4, 5, 6))
PIPELINE = load_pipeline(NAME, Settings())


@pytest.fixture
def settings(two_in_force):
    return two_in_force


def ask(settings, request="r1", *, why="it predicts nonsense", **wanted):
    plan = roll_back.plan(PIPELINE, settings, request=request, **wanted)
    return carry_out(settings, plan, request, why=why)


def carry_out(settings, plan, request, *, why="it predicts nonsense"):
    asked = {"version": plan.version, "instead_of": plan.instead_of, "why": why, "who": "anna", "request": request}
    return stage_run.run_stage("roll_back", Deployment(PIPELINE, settings), plan.window, upstream={}, **asked)


def scored(settings, window, mode="live"):
    record = Scored(window, 2, "champion", mode, 1, 1, 1).to_json()
    state.save_record(settings, NAME, "score", input_key=f"{window}{mode}", window=window, record=record)


def kinds(settings):
    return [entry.kind for entry in ledger.entries(settings, NAME)]


def champions(settings):
    """Who is champion at each month's start, by the ledger; and where the alias points."""
    history = ledger.require_intact(settings, NAME)
    return [history.champion(at) for at in (MARCH, APRIL, MAY, JUNE)], registry.aliases(settings, NAME)["champion"]


def test_the_champion_before_is_in_force_from_the_end_of_the_newest_scored_window_on(settings):
    scored(settings, Window(APRIL, MAY))
    scored(settings, Window(MAY, JUNE), mode="backtest")
    rolled = ask(settings)
    assert (rolled.version, rolled.previous_version, rolled.effective_at) == (1, 2, MAY)
    assert (rolled.why, rolled.who, rolled.model_digest) == ("it predicts nonsense", "anna", "d" * 64)
    assert champions(settings) == ([1, 2, 1, 1], 1)
    assert kinds(settings)[-2:] == ["intended", "rolled_back"]
    assert registry.version_of(settings, NAME, 2).tags[going_back.ROLLED_BACK] == "it predicts nonsense"


def test_before_anything_was_scored_it_takes_effect_where_the_champion_did(settings):
    assert ask(settings).effective_at == APRIL
    assert champions(settings) == ([1, 1, 1, 1], 1)


def test_a_chosen_version_from_a_chosen_time_on(settings):
    ledger_entries.put_in_force(settings, NAME, 3, MAY, previous=2)
    assert ask(settings, version=1, since=JUNE).effective_at == JUNE
    assert champions(settings) == ([1, 2, 3, 1], 1)


def test_two_steps_back_are_two_requests(settings):
    ledger_entries.put_in_force(settings, NAME, 3, MAY, previous=2)
    assert ask(settings, "first").version == 2
    assert ask(settings, "second").version == 1
    assert champions(settings) == ([1, 2, 1, 1], 1)


def test_the_same_request_goes_back_once(settings):
    ledger_entries.put_in_force(settings, NAME, 3, MAY, previous=2)
    first = ask(settings)
    before = kinds(settings)
    assert ask(settings) == first
    assert kinds(settings) == before
    assert champions(settings) == ([1, 2, 2, 2], 2)


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ({"version": 3}, r"version 3 was never champion \(promoted: 1, 2\)"),
        ({"version": 2}, "version 2 is the champion in force"),
        ({"since": MARCH}, "champion 2 is in force from 2013-04-01T00:00Z on: a rollback cannot take effect before"),
        ({"why": "  "}, "a reason is required"),
    ],
)
def test_what_was_never_champion_or_rewrites_history_or_has_no_reason_is_refused(settings, wanted, says):
    before = kinds(settings)
    with pytest.raises(AirloopError, match=says) as refused:
        ask(settings, **wanted)
    assert isinstance(refused.value, (GuardRefused, DataContractError, ConfigError))
    assert (kinds(settings), registry.aliases(settings, NAME)["champion"]) == (before, 2)


def test_a_rollback_cannot_take_effect_where_no_data_will_have_been(settings, monkeypatch):
    before, end = kinds(settings), PIPELINE.coverage.end
    with pytest.raises(DataContractError, match=f"the latest is {end:%Y-%m-%dT%H:%MZ}, the end of the coverage"):
        ask(settings, since=end + timedelta(hours=1))
    ahead = PIPELINE.model_copy(update={"coverage": PIPELINE.coverage.model_copy(update={"end": None})})
    monkeypatch.setattr(sys.modules[__name__], "PIPELINE", ahead)
    with pytest.raises(DataContractError, match="or of its monthly window that holds now"):
        ask(settings, since=datetime.now(UTC) + timedelta(days=40))
    assert kinds(settings) == before
    assert ask(settings, since=datetime.now(UTC)).version == 1


def test_there_is_nothing_before_the_first_champion(settings):
    assert ask(settings).version == 1
    with pytest.raises(GuardRefused, match="version 1 is the first champion of flight_delays: there is none before it"):
        ask(settings, "again")


def test_there_is_nothing_to_go_back_to_before_the_first_promotion(registry_settings):
    with pytest.raises(GuardRefused, match="has no champion: nothing was ever promoted"):
        roll_back.plan(PIPELINE, registry_settings, request="r")


def test_a_version_that_does_not_load_is_refused_and_the_others_are_named(settings, monkeypatch):
    monkeypatch.undo()
    before = kinds(settings)
    with pytest.raises(GuardRefused, match=r"choose another version by --to \(promoted: 1, 2\)"):
        ask(settings)
    assert (kinds(settings), registry.aliases(settings, NAME)["champion"]) == (before, 2)


def test_whoever_asks_after_another_went_back_is_told_so(settings):
    ledger_entries.put_in_force(settings, NAME, 3, MAY, previous=2)
    plans = {key: roll_back.plan(PIPELINE, settings, request=key) for key in ("a", "b")}
    assert carry_out(settings, plans["a"], "a").version == 2
    with pytest.raises(GuardRefused, match="version 2 is in force meanwhile, not 3"):
        carry_out(settings, plans["b"], "b")


def test_of_two_rollbacks_at_once_one_step_is_taken(settings):
    ledger_entries.put_in_force(settings, NAME, 3, MAY, previous=2)
    plans = {key: roll_back.plan(PIPELINE, settings, request=key) for key in ("a", "b", "c")}

    def attempt(key):
        try:
            return carry_out(settings, plans[key], key).version
        except GuardRefused as error:
            return str(error)

    with ThreadPoolExecutor(3) as pool:
        ends = list(pool.map(attempt, plans))
    assert ends.count(2) == 1
    assert all("is in force meanwhile, not 3" in end or "is unfinished" in end for end in ends if end != 2)
    assert kinds(settings).count("rolled_back") == 1
    assert champions(settings) == ([1, 2, 2, 2], 2)


def promotion(settings, version, *, champion, at):
    made = ledger_entries.record(
        settings, NAME, ledger_entries.decision(version, at=at, champion=champion, model_name=NAME)
    )
    window = Window(datetime(2013, 1, 1, tzinfo=UTC), at)
    return lambda: promote.promote(Deployment(PIPELINE, settings), window, decision=made)


def test_a_promotion_and_a_rollback_at_once_come_one_after_the_other_or_refuse(settings):
    move, plan = promotion(settings, 3, champion=2, at=MAY), roll_back.plan(PIPELINE, settings, request="r")

    def attempt(act):
        try:
            return act().version
        except GuardRefused as error:
            return str(error)

    with ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(attempt, [move, lambda: carry_out(settings, plan, "r")]))
    assert sum(isinstance(end, int) for end in ends) == 1
    winner = next(end for end in ends if isinstance(end, int))
    assert champions(settings)[0][-1] == champions(settings)[1] == winner
    assert reconcile(NAME, settings) == []


def test_nothing_is_promoted_after_a_rollback_until_somebody_unlocks(settings):
    ask(settings)
    move = promotion(settings, 3, champion=1, at=MAY)
    with pytest.raises(
        GuardRefused, match=r"locked by the rollback to version 1 of anna.*airloop unlock flight_delays"
    ):
        move()
    lock.unlock(settings, NAME, why="mended", who="boris")
    assert move().version == 3
    assert champions(settings) == ([1, 1, 3, 3], 3)


def test_a_promotion_that_is_unfinished_is_finished_before_a_rollback(settings):
    number = ledger_entries.decided(settings, NAME, 3, at=MAY, champion=2)
    ledger_entries.begin(settings, NAME, 3, number, at=MAY, previous=2)
    with pytest.raises(GuardRefused, match="the promotion of version 3 is unfinished: run `airloop ledger reconcile"):
        ask(settings)
    assert reconcile(NAME, settings) == ["finished the promotion of version 3 (ledger entry 9)"]
    assert ask(settings).version == 2


def test_an_alias_moved_by_hand_after_a_rollback_is_moved_back_and_said(settings):
    ask(settings)
    registry.set_alias(settings, NAME, "champion", 2)
    assert "pointed at former champion 2: moved back to version 1" in reconcile(NAME, settings)[0]
    registry.set_alias(settings, NAME, "champion", 3)
    assert "ALARM: the alias champion pointed at version 3, never promoted" in reconcile(NAME, settings)[0]
    assert champions(settings) == ([1, 1, 1, 1], 1)


def test_a_champion_that_is_gone_is_rolled_back_past(settings):
    MlflowClient(settings.mlflow_tracking_uri, settings.mlflow_tracking_uri).delete_model_version(NAME, "2")
    assert "or go back to the champion before it: airloop rollback flight_delays" in reconcile(NAME, settings)[0]
    assert ask(settings).version == 1
    assert champions(settings) == ([1, 1, 1, 1], 1)
    assert reconcile(NAME, settings) == []


def test_a_rollback_to_a_version_that_is_gone_by_now_is_given_up(settings):
    plan = roll_back.plan(PIPELINE, settings, request="r")
    payload = {"model_name": NAME, "version": 1, "previous_version": 2, "request": "r", "why": "w", "who": "a"}
    ledger.append(settings, NAME, kind="intended", effective_at=plan.window.end, payload=payload)
    MlflowClient(settings.mlflow_tracking_uri, settings.mlflow_tracking_uri).delete_model_version(NAME, "1")
    assert "version 1 is not registered any more: the rollback to it is given up" in reconcile(NAME, settings)[0]
    assert champions(settings) == ([1, 2, 2, 2], 2)


def test_a_forged_rollback_makes_the_ledger_fail(settings):
    payload = {"model_name": NAME, "version": 3, "previous_version": 2, "request": "r", "why": "w", "who": "a"}
    begun = ledger.append(settings, NAME, kind="intended", effective_at=MAY, payload=payload)
    assert ledger.verify(settings, NAME) == ["entry 7 (intended) rolls back to version 3, which was never promoted"]
    forged = payload | {"version": 1, "intended_sequence": begun.sequence}
    ledger.append(settings, NAME, kind="rolled_back", effective_at=MAY, payload=forged)
    assert "entry 8 (rolled_back) is about version 1, and no rollback to it was begun" in ledger.verify(settings, NAME)


def _killed_at(settings, point):
    """A process that rolls back and is killed at a point of its work; whether it was, before it ended."""
    child = os.fork()
    if child == 0:
        marked_points.die_at(point, lambda: ask(settings))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


@pytest.mark.integration
@pytest.mark.parametrize("repair", ["rerun", "reconcile"])
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_killed_at_any_point_it_ends_as_if_nothing_had_been(settings, repair):
    points = 0
    while _killed_at(settings, points + 1):
        points += 1
        if repair == "reconcile":
            reconcile(NAME, settings)
    assert points > 3
    assert ask(settings).version == 1
    assert kinds(settings)[6:] == ["intended", "rolled_back"]
    assert champions(settings) == ([1, 1, 1, 1], 1)
    assert reconcile(NAME, settings) == []
