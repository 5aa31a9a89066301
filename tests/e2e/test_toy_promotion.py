"""A person's word on the toy's promotions, over REST: who may answer, what an answer does, and the way back.

The tests build on each other in file order, and on whatever the toy's platform holds.
"""

import json
from dataclasses import replace

import pytest
from tests.support import ledger_entries, toy, toy_turned
from tests.support.waiting import until

from airloop.errors import AirloopError
from airloop.gate import approval
from airloop.stores import ledger
from airloop.stores.mlflow import registry
from airloop_platform.replay.airflow_client import AirflowClient
from airloop_platform.supervisor.run_folder import run_folder

pytestmark = pytest.mark.e2e

POLICY = "approval: {when: always, by: [anna, boris, admin], deadline_hours: %s, default: reject}\n"


@pytest.fixture(scope="module")
def asked(platform):
    """The toy with a champion and a policy that asks for every promotion."""
    settings = platform.settings
    if ledger.history(settings, "toy").champion() is None:
        toy.land(settings, days=range(40))
        toy.run_data(settings, toy.days(0, 36))
        toy.run_training(settings, 36)
        toy.run("promote", settings, toy.days(0, 36))
    path = settings.pipelines_dir / "toy" / "pipeline.yaml"
    declared = path.read_text()
    path.write_text(declared + POLICY % 1)
    assert until(lambda: "approve" in platform.client.task_ids("toy__promotion"), seconds=120)
    yield platform
    path.write_text(declared)


def challenger(settings, name, **changes):
    """A decision that passed a twin of the champion; boris asked for its training."""
    version = toy_turned.registered(settings, name)
    history = ledger.history(settings, "toy")
    at = max(history.data_time(), toy.days(0, 59).end)
    made = ledger_entries.decision(version, at=at, champion=history.champion(), asked_by="boris", **changes)
    return ledger_entries.record(settings, "toy", made)


def ask(platform, decision):
    """Start the promotion and wait for its question; returns the run and the question."""
    run = platform.client.start("toy__promotion", {"sequence": decision.sequence})
    assert until(lambda: bool(platform.client.questions(run)), seconds=120)
    return run, platform.client.questions(run)[0]


def respond(platform, run, user, option, comment=""):
    passwords = json.loads(run_folder(platform.settings).passwords.read_text())
    login = replace(platform.platform, username=user, password=passwords[user])
    with AirflowClient(login) as client:
        client.answer(run, "approve", option, comment=comment)


def end(platform, run):
    ended = platform.client.wait(run, seconds=120, on_tasks=lambda _tasks: None)
    return ended.state, platform.states(run)["promote"]


def standing(platform, decision):
    entry = ledger.require_intact(platform.settings, "toy").answer_to(decision.sequence)
    return entry.kind, entry.payload["who"], entry.payload["why"]


def champion(platform):
    return ledger.history(platform.settings, "toy").champion(), registry.aliases(platform.settings, "toy")["champion"]


def test_only_a_person_who_is_named_and_did_not_start_it_approves(asked):
    decision = challenger(asked.settings, "approved")
    run, shown = ask(asked, decision)
    assert shown["subject"] == f"Promote version {decision.version} of toy?"
    assert "Brier 0.1000, must be at most 0.2200" in shown["body"]
    assert asked.states(run)["approve"] == "deferred"
    # carla is not named, boris asked for the training, admin started the promotion, vera may only look.
    for user in ("carla", "boris", "admin", "vera"):
        with pytest.raises(AirloopError, match="Airflow refused the answer: 403"):
            respond(asked, run, user, "Approve")
    respond(asked, run, "anna", "Approve", "checked by hand")
    assert end(asked, run) == ("success", "success")
    assert standing(asked, decision) == ("approved", "anna", "checked by hand")
    assert champion(asked) == (decision.version, decision.version)


def test_a_rejection_promotes_nothing_and_is_a_success(asked):
    before, decision = champion(asked), challenger(asked.settings, "rejected")
    run, _ = ask(asked, decision)
    respond(asked, run, "anna", "Reject", "not now")
    assert end(asked, run) == ("success", "skipped")
    assert (standing(asked, decision), champion(asked)) == (("rejected", "anna", "not now"), before)


def test_a_newer_challenger_closes_the_question_and_an_answer_by_command_ends_its_own(asked):
    older = challenger(asked.settings, "older")
    run, _ = ask(asked, older)
    newer = challenger(asked.settings, "newer")
    assert end(asked, run) == ("success", "skipped")
    assert standing(asked, older)[0] == "superseded"
    assert f"version {newer.version} passed later" in standing(asked, older)[2]
    with pytest.raises(AirloopError, match="Airflow refused the answer: 409"):
        respond(asked, run, "anna", "Approve")
    run, _ = ask(asked, newer)
    pipeline = toy.toy_pipeline(asked.settings)
    approval.answer(pipeline, asked.settings, newer.sequence, kind="approved", why="by command", who="anna")
    assert end(asked, run) == ("success", "success")
    assert champion(asked) == (newer.version, newer.version)


def test_at_the_deadline_the_default_is_the_answer(asked):
    path, before = asked.settings.pipelines_dir / "toy" / "pipeline.yaml", champion(asked)
    path.write_text(path.read_text().replace(POLICY % 1, POLICY % 0.001))
    decision = challenger(asked.settings, "late")
    run = asked.client.start("toy__promotion", {"sequence": decision.sequence})
    assert end(asked, run) == ("success", "skipped")
    path.write_text(path.read_text().replace(POLICY % 0.001, POLICY % 1))
    assert (standing(asked, decision)[:2], champion(asked)) == (("rejected", "deadline"), before)


def test_a_rollback_takes_effect_and_makes_an_open_question_void(asked):
    now, before = champion(asked)[0], ledger.history(asked.settings, "toy").champion_before(champion(asked)[0])
    decision = challenger(asked.settings, "void")
    run, _ = ask(asked, decision)
    asked.run("rollback", {"reason": "it predicts nonsense"})
    assert champion(asked) == (before, before)
    assert end(asked, run) == ("success", "skipped")
    assert standing(asked, decision)[0] == "superseded"
    assert f"judged against champion {now}, and champion {before} is in force" in standing(asked, decision)[2]
    rolled = ledger.history(asked.settings, "toy").latest("rolled_back")
    assert (rolled.payload["who"], rolled.payload["why"]) == ("admin", "it predicts nonsense")
    asked.run("rollback", {"action": "unlock", "reason": "mended"})
    assert ledger.history(asked.settings, "toy").lock() is None
    assert ledger.verify(asked.settings, "toy") == []
