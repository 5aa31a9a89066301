"""A person's word on the toy's promotions, over REST: who may answer, and what an answer does."""

import json
from dataclasses import replace

import pytest
from tests.support import ledger_entries, toy, toy_turned
from tests.support.waiting import until

from airloop.errors import AirloopError
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
