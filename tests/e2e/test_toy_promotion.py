"""A person's word on the toy's promotions, over REST: who may answer, and what an answer does."""

import json
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.support import ledger_entries, toy, toy_turned
from tests.support.waiting import until

from airloop.errors import AirloopError, GuardRefused
from airloop.gate import approval, lock
from airloop.gate import roll_back as roll_back_stage
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
        toy.run_data(settings, toy.days(36, 40))
        toy.run("score", settings, toy.days(36, 40))
    path = settings.pipelines_dir / "toy" / "pipeline.yaml"
    declared = path.read_text()
    path.write_text(declared + POLICY % 1)
    with platform.read_again():
        assert until(lambda: asks(platform), seconds=120, every=1)
    yield platform
    path.write_text(declared)
    with platform.read_again():
        assert until(lambda: not asks(platform), seconds=120, every=1)


def asks(platform):
    return "approve" in platform.client.task_ids("toy__promotion")


@contextmanager
def policy(platform, text):
    """Another policy meanwhile: each task reads the declaration as it is when it starts."""
    path = platform.settings.pipelines_dir / "toy" / "pipeline.yaml"
    declared = path.read_text()
    path.write_text(declared.replace(POLICY % 1, text))
    yield
    path.write_text(declared)


def challenger(settings, name, *, at=None):
    """A decision that passed a twin of the champion; boris asked for its training."""
    version = toy_turned.registered(settings, name)
    history = ledger.history(settings, "toy")
    at = at or max(history.data_time(), toy.days(0, 59).end)
    made = ledger_entries.decision(version, at=at, champion=history.champion(), asked_by="boris")
    return ledger_entries.record(settings, "toy", made)


def roll_back(settings):
    pipeline = toy.toy_pipeline(settings)
    plan = roll_back_stage.plan(pipeline, settings, request="e2e")
    options = {"version": plan.version, "instead_of": plan.instead_of, "why": "a test", "who": "carla"}
    toy.run("roll_back", settings, plan.window, request="e2e", **options)


def ask(platform, decision):
    """Start the promotion and wait for its question; returns the run and the question."""
    run = platform.client.start("toy__promotion", {"sequence": decision.sequence})
    assert until(lambda: bool(platform.client.questions(run)), seconds=120, every=1)
    return run, platform.client.questions(run)[0]


def respond(platform, run, user, option, comment=""):
    passwords = json.loads(run_folder(platform.settings).passwords.read_text())
    login = replace(platform.platform, username=user, password=passwords[user])
    with AirflowClient(login) as client:
        client.answer(run, "approve", option, comment=comment)


def end(platform, run):
    ended = platform.client.wait(run, seconds=600, on_tasks=lambda _tasks: None)
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
    # No worker is held while it waits.
    assert until(lambda: asked.states(run)["approve"] == "deferred", seconds=60, every=1)
    # carla is not named, boris asked for the training, admin started the promotion, vera may only look.
    for user in ("carla", "boris", "admin", "vera"):
        with pytest.raises(AirloopError, match="Airflow refused the answer: 403"):
            respond(asked, run, user, "Approve")
    respond(asked, run, "anna", "Approve", "checked by hand")
    assert end(asked, run) == ("success", "success")
    assert standing(asked, decision) == ("approved", "anna", "checked by hand")
    assert champion(asked) == (decision.version, decision.version)


def test_what_a_person_rejects_is_not_promoted(asked):
    before, decision = champion(asked), challenger(asked.settings, "rejected")
    run, _ = ask(asked, decision)
    # Whoever started it may well say no.
    respond(asked, run, "anna", "Reject", "not the new terminal")
    assert end(asked, run) == ("success", "skipped")
    assert standing(asked, decision) == ("rejected", "anna", "not the new terminal")
    with pytest.raises(AirloopError, match="Airflow refused the answer: 409"):
        respond(asked, run, "anna", "Approve")
    assert champion(asked) == before


def test_nobodys_answer_is_a_no_at_the_deadline(asked):
    before, decision = champion(asked), challenger(asked.settings, "silent")
    with policy(asked, POLICY % 0.004):
        run, _ = ask(asked, decision)
        assert end(asked, run) == ("success", "skipped")
    assert standing(asked, decision)[:2] == ("rejected", "deadline")
    assert champion(asked) == before


def test_a_newer_version_that_passed_closes_the_question(asked):
    before, decision = champion(asked), challenger(asked.settings, "older")
    run, _ = ask(asked, decision)
    newer = challenger(asked.settings, "newer")
    assert end(asked, run) == ("success", "skipped")
    says = f"version {newer.version} passed later, by decision {newer.sequence}"
    assert standing(asked, decision) == ("superseded", "airloop", says)
    with pytest.raises(AirloopError, match="Airflow refused the answer: 409"):
        respond(asked, run, "anna", "Approve")
    assert champion(asked) == before


def test_evidence_older_than_declared_closes_the_question(asked):
    before, at = champion(asked), approval.scored_until(toy.toy_pipeline(asked.settings), asked.settings)
    decision = challenger(asked.settings, "old", at=at - timedelta(days=2))
    with policy(asked, (POLICY % 1).replace("}", ", evidence_max_age_days: 1}")):
        run, _ = ask(asked, decision)
        assert end(asked, run) == ("success", "skipped")
    kind, who, why = standing(asked, decision)
    assert (kind, who) == ("superseded", "airloop")
    assert "approval.evidence_max_age_days is 1" in why
    assert champion(asked) == before


def test_a_rollback_voids_what_waits_and_what_was_approved(asked):
    settings, (current, _) = asked.settings, champion(asked)
    approved, waiting = challenger(settings, "approved_before"), challenger(settings, "waits")
    run, _ = ask(asked, waiting)
    roll_back(settings)
    try:
        assert end(asked, run) == ("success", "skipped")
        kind, who, why = standing(asked, waiting)
        assert (kind, who) == ("superseded", "airloop")
        assert f"it was judged against champion {current}" in why
        with pytest.raises(GuardRefused, match="would be void"):
            approval.answer(
                toy.toy_pipeline(settings), settings, approved.sequence, kind="approved", why="late", who="anna"
            )
        assert champion(asked)[0] != current
    finally:
        lock.unlock(settings, "toy", why="seen", who="tests")
