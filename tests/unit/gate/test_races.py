"""Whoever decides about a champion at the same time, or in an unlucky order, ends in one consistent state."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from mlflow import MlflowClient
from tests.support import ledger_entries, marked_points

from airloop.config import load_pipeline
from airloop.config.approval import Approval
from airloop.deployment import Deployment
from airloop.errors import GuardRefused, UpstreamUnavailable
from airloop.gate import approval, lock, promote, roll_back
from airloop.gate.reconcile import reconcile
from airloop.records import Window
from airloop.run import stage_run
from airloop.settings import Settings
from airloop.stores import ledger
from airloop.stores.mlflow import registry

# MLflow 3.17 on SQLAlchemy 2.1; it goes when MLflow stops using `noload`.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:sqlalchemy.exc.SADeprecationWarning")

NAME = "flight_delays"
MARCH, APRIL, MAY = (datetime(2013, month, 1, tzinfo=UTC) for month in (3, 4, 5))
PIPELINE = load_pipeline(NAME, Settings())
ASKED = PIPELINE.model_copy(update={"approval": Approval.model_validate({"when": "always"})})


@pytest.fixture
def settings(two_in_force):
    return two_in_force


def passed(settings, version, *, champion=2, at=MAY):
    made = ledger_entries.decision(version, at=at, champion=champion, model_name=NAME, asked_by="boris")
    return ledger_entries.record(settings, NAME, made)


def move(settings, decision, declared=PIPELINE):
    window = Window(datetime(2013, 1, 1, tzinfo=UTC), decision.effective_at)
    return promote.promote(Deployment(declared, settings), window, decision=decision)


def go_back(settings, request="r"):
    plan = roll_back.plan(PIPELINE, settings, request=request)
    asked = {"version": plan.version, "instead_of": plan.instead_of, "why": "nonsense", "who": "carla"}
    return stage_run.run_stage(
        "roll_back", Deployment(PIPELINE, settings), plan.window, upstream={}, request=request, **asked
    )


def approve(settings, decision):
    given = {"kind": "approved", "why": "checked", "who": "anna"}
    return approval.answer(ASKED, settings, decision.sequence, **given)


def at_once(*acts):
    """What each of them came to, done in parallel: its record, or why it was refused."""

    def attempt(act):
        try:
            return act()
        except GuardRefused as error:
            return str(error)

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(attempt, acts))


def consistent(settings):
    """The champion, which ledger and alias agree on, with nothing left to repair."""
    champion = ledger.require_intact(settings, NAME).champion()
    assert registry.aliases(settings, NAME)["champion"] == champion
    assert reconcile(NAME, settings) == []
    return champion


def test_of_two_trainings_that_finish_together_one_is_promoted_and_the_other_is_told_to_judge_again(settings):
    first, second = passed(settings, 1), passed(settings, 3)
    ends = at_once(lambda: move(settings, first), lambda: move(settings, second))
    (refusal,) = (end for end in ends if isinstance(end, str))
    assert "is in force meanwhile: evaluate and decide again" in refusal or "is unfinished" in refusal
    winner = next(end for end in ends if not isinstance(end, str))
    assert consistent(settings) == winner.version


def test_the_later_of_two_trainings_is_refused_whichever_was_asked_first(settings):
    first, second = passed(settings, 1), passed(settings, 3, at=MAY + timedelta(days=1))
    assert move(settings, second).version == 3
    with pytest.raises(GuardRefused, match="judged against champion 2, but champion 3 is in force meanwhile"):
        move(settings, first)
    assert consistent(settings) == 3


def test_an_approval_after_a_rollback_is_void_and_so_is_one_before_it(settings):
    before, after = passed(settings, 1), passed(settings, 3)
    with pytest.raises(GuardRefused, match="version 3 passed later"):
        approve(settings, before)
    approve(settings, after)
    go_back(settings)
    lock.unlock(settings, NAME, why="mended", who="dora")
    with pytest.raises(GuardRefused, match="judged against champion 2, but champion 1 is in force meanwhile"):
        move(settings, after, ASKED)
    third = passed(settings, 3, champion=1)
    with pytest.raises(GuardRefused, match="waits for a person's approval"):
        move(settings, third, ASKED)
    approve(settings, third)
    assert move(settings, third, ASKED).version == 3
    assert consistent(settings) == 3


def test_an_approval_and_a_rollback_at_once_promote_nothing_by_the_old_evidence(settings):
    decision = passed(settings, 3)
    at_once(lambda: approve(settings, decision), lambda: go_back(settings))
    with pytest.raises(GuardRefused, match="locked by the rollback"):
        move(settings, decision, ASKED)
    lock.unlock(settings, NAME, why="mended", who="dora")
    with pytest.raises(GuardRefused, match="judged against champion 2, but champion 1 is in force meanwhile"):
        move(settings, decision, ASKED)
    assert consistent(settings) == 1


def test_an_approval_and_a_rejection_at_once_end_as_a_rejection(settings):
    decision = passed(settings, 3)
    no = {"kind": "rejected", "why": "not yet", "who": "dora"}
    at_once(lambda: approve(settings, decision), lambda: approval.answer(ASKED, settings, decision.sequence, **no))
    assert ledger.history(settings, NAME).answer_to(decision.sequence).kind == "rejected"
    with pytest.raises(GuardRefused, match=r"was rejected by dora \(not yet\)"):
        move(settings, decision, ASKED)


def test_a_champion_deleted_while_its_successor_waits_lets_the_successor_in(settings):
    decision = passed(settings, 3)
    approve(settings, decision)
    MlflowClient(settings.mlflow_tracking_uri, settings.mlflow_tracking_uri).delete_model_version(NAME, "2")
    assert "champion 2 is not registered any more" in reconcile(NAME, settings)[0]
    assert move(settings, decision, ASKED).version == 3
    assert consistent(settings) == 3


def test_an_alias_moved_by_hand_in_mid_promotion_ends_where_the_ledger_says(settings, monkeypatch):
    decision, honest = passed(settings, 3), registry.set_alias

    def moved(settings, name, alias, version):
        honest(settings, name, alias, version)
        if alias == "champion":
            honest(settings, name, alias, 1)  # somebody else, in MLflow's own pages

    with monkeypatch.context() as patch:
        patch.setattr(registry, "set_alias", moved)
        move(settings, decision)
    assert "pointed at former champion 1: moved back to version 3" in reconcile(NAME, settings)[0]
    assert consistent(settings) == 3


@pytest.mark.parametrize("call", ["set_alias", "aliases"])
def test_mlflow_restarting_in_mid_promotion_delays_it(settings, monkeypatch, call):
    decision, honest, left = passed(settings, 3), getattr(registry, call), [2]

    def restarting(*arguments):
        if left[0] > 0:
            left[0] -= 1
            raise UpstreamUnavailable("MLflow does not answer")
        return honest(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(registry, call, restarting)
        for _ in range(2):
            with pytest.raises(UpstreamUnavailable):
                move(settings, decision)
        assert move(settings, decision).version == 3
    assert consistent(settings) == 3
    assert [entry.kind for entry in ledger.entries(settings, NAME)][-2:] == ["intended", "done"]


def _killed_at(settings, decision, point):
    """A process that promotes and is killed at a point of its work; whether it was, before it ended."""
    child = os.fork()
    if child == 0:
        try:
            marked_points.die_at(point, lambda: move(settings, decision))
        finally:  # a child that went on would be a second test run
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


@pytest.mark.integration
@pytest.mark.parametrize("repair", ["rerun", "reconcile"])
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_promotion_killed_at_any_point_ends_as_if_nothing_had_been(settings, repair):
    decision, points = passed(settings, 3), 0
    while _killed_at(settings, decision, points + 1):
        points += 1
        if repair == "reconcile":
            reconcile(NAME, settings)
    assert points > 3
    assert move(settings, decision).version == 3
    assert [entry.kind for entry in ledger.entries(settings, NAME)][7:] == ["intended", "done"]
    assert consistent(settings) == 3
