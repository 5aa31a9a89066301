"""Hot swap: a promotion reaches the service by itself, no answer is mixed, and what does not load changes nothing."""

import shutil
import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from tests.support import served_toy, toy
from tests.support.served_toy import CUTOFF, EXPLICIT, ask, wait_for

from airloop.errors import GuardRefused, UpstreamUnavailable
from airloop.models import model_version
from airloop.models.forms.choose import Form
from airloop.serving import champions
from airloop.serving.champions import Champions
from airloop.serving.served import load_served
from airloop.stores import alarms, ledger, state, tables

START = toy.days(0, CUTOFF).end


@pytest.fixture(scope="module")
def real_load(served_home):
    """Version 1 as it is served, loaded once."""
    in_force = ledger.history(served_home, "toy").in_force()
    return load_served(toy.toy_pipeline(served_home), in_force, served_home)


@pytest.fixture
def quick(served, real_load):
    """The slots of a ledger of its own, whose versions answer with their own number."""

    def load(pipeline, in_force, settings):
        version = int(in_force.payload["version"])
        if version in broken:
            raise GuardRefused(f"toy version {version} does not load: its files are gone")
        number = float(version) / 10_000
        form = Form("trees", lambda rows: real_load.form.predict(rows) * 0 + number)
        decision = in_force.payload["decision_sequence"]
        return replace(real_load, version=version, decision=decision, form=form)

    broken: set[int] = set()
    slots = Champions(served, load)
    slots.broken = broken
    return slots


def promote(settings, version, hours):
    served_toy.put_in_force(settings, version, START + timedelta(hours=hours))


def versions(client):
    return ask(client, {"features": EXPLICIT}).json()["model_version"]


def test_a_promotion_reaches_the_service_within_seconds_and_without_a_restart(served):
    with served_toy.running(served) as client:
        assert versions(client) == 1
        second = served_toy.twin(served, "reached")
        promote(served, second, 1)
        # Loading included, on a machine that may be busy: the service looks every half second.
        wait_for(lambda: client.service.champions.slots["toy"].served.version == second, seconds=6)
        assert versions(client) == second


def test_a_version_that_is_promoted_later_but_takes_effect_earlier_is_not_in_force(quick):
    promote(quick.settings, 5, 2)
    quick.look()
    promote(quick.settings, 6, 1)
    quick.look()
    assert quick.slots["toy"].served.version == 5


def milliseconds(answers):
    taken = sorted(ended - began for began, ended, _ in answers)
    return {f"p{100 * share:g}": round(taken[int(len(taken) * share)] * 1000, 2) for share in (0.5, 0.99, 0.999)}


def versions_of(answers):
    return {body["model_version"] for _, _, body in answers}


def test_many_swaps_under_load_fail_no_request_and_every_answer_was_champion_at_its_moment(
    served, quick, request, record_property
):
    swaps, answers, failed, stop = request.config.getoption("--swaps"), [], [], threading.Event()
    with served_toy.running(served) as client:
        client.service.champions.load = quick.load

        def load() -> None:
            while not stop.is_set():
                began = time.monotonic()
                answer = ask(client, {"features": EXPLICIT})
                if answer.status_code != 200:
                    failed.append(answer.text)
                    continue
                answers.append((began, time.monotonic(), answer.json()))

        threads = [threading.Thread(target=load) for _ in range(3)]
        for thread in threads:
            thread.start()
        decided, exchanged = {1: 0.0}, {}
        try:
            wait_for(lambda: len(answers) > 300 or failed)
            still = len(answers)
            for number in range(2, swaps + 2):
                decided[number] = time.monotonic()
                promote(served, number, number)
                client.service.champions.look()  # what the follower does every half second
                exchanged[number] = time.monotonic()
                seen = len(answers)
                wait_for(lambda seen=seen, number=number: failed or number in versions_of(answers[seen:]))
        finally:
            stop.set()
            for thread in threads:
                thread.join()
    assert failed == []
    assert versions_of(answers) >= set(range(2, swaps + 2))
    for began, ended, body in answers:
        version = body["model_version"]
        if version > 1:
            # Never one version's number under another's name.
            assert body["predictions"][0]["prediction"] == version / 10_000
        # In force from the promotion on, until the next one is exchanged.
        assert decided[version] <= ended
        assert began <= exchanged.get(version + 1, began)
    record_property("ms", milliseconds(answers[still:]))
    record_property("ms without a swap", milliseconds(answers[:still]))
    record_property("answers", len(answers))


def test_a_champion_that_does_not_load_keeps_the_old_one_and_raises_an_alarm_until_another_serves(quick):
    settings, pipeline = quick.settings, toy.toy_pipeline(quick.settings)
    quick.look()
    quick.broken.add(2)
    promote(settings, 2, 1)
    quick.look()
    slot = quick.slots["toy"]
    assert slot.served.version == 1
    assert "its files are gone" in slot.problem
    (alarm,) = alarms.raised(pipeline, settings, stages=["serving"])
    assert (alarm.alarm.kind, alarm.alarm.holds_training) == ("champion_does_not_serve", False)
    assert "version 1 goes on answering" in alarm.alarm.says
    quick.look()
    assert len(ledger.entries(settings, "toy", kind="alarm")) == 1
    quick.broken.clear()
    ledger.append(settings, "toy", kind="reconciled", effective_at=START, payload={"why": "moves the head"})
    quick.look()
    assert (quick.slots["toy"].served.version, quick.slots["toy"].problem) == (2, "")
    assert alarms.raised(pipeline, settings, stages=["serving"]) == ()


def test_a_store_that_does_not_answer_keeps_the_old_one_without_an_alarm_and_is_asked_again(quick, monkeypatch):
    quick.look()
    real = quick.load
    quick.load = lambda *_: (_ for _ in ()).throw(UpstreamUnavailable("MLflow does not answer"))
    promote(quick.settings, 2, 1)
    quick.look()
    assert quick.slots["toy"].served.version == 1
    assert alarms.raised(toy.toy_pipeline(quick.settings), quick.settings, stages=["serving"]) == ()
    quick.load = real
    monkeypatch.setattr(champions.time, "monotonic", lambda: 1e9)
    quick.look()
    assert quick.slots["toy"].served.version == 2


def test_a_ledger_that_does_not_verify_changes_nothing(quick):
    import sqlite3

    quick.look()
    with sqlite3.connect(quick.settings.home / "state.db") as database:
        database.execute(
            "UPDATE ledger SET payload = replace(payload, '\"version\":1', '\"version\":9') WHERE kind = 'done'"
        )
    database.close()
    promote(quick.settings, 2, 1)
    quick.look()
    assert quick.slots["toy"].served.version == 1
    assert "does not verify" in quick.slots["toy"].problem


def test_definitions_that_changed_take_the_version_away_that_no_longer_fits_them(served, tmp_path):
    edited = toy.edited(served, tmp_path / "edited", "toy.py", "timedelta(hours=3)", "timedelta(hours=4)")
    slots = Champions(edited)
    slots.look()
    assert slots.slots["toy"].served is None
    assert "is not what version 1 was trained on" in slots.slots["toy"].problem


def test_labels_that_were_turned_round_take_the_version_away_and_a_rewritten_query_does_not(served, tmp_path):
    label = "failed::DOUBLE AS label"
    for query, answers in (("1 - failed::DOUBLE AS label", False), ("CAST(failed AS DOUBLE) AS label", True)):
        slots = Champions(toy.edited(served, tmp_path / str(answers), "features.sql", label, query))
        slots.look()
        assert (slots.slots["toy"].served is not None) is answers
        assert ("turned round" in slots.slots["toy"].problem) is not answers


def test_a_broken_pipeline_and_one_without_champion_do_not_take_the_others_away(served, tmp_path):
    project = tmp_path / "project"
    shutil.copytree(served.project_dir, project, ignore=shutil.ignore_patterns("home", "__pycache__"))
    toy_yaml = (project / "include/pipelines/toy/pipeline.yaml").read_text()
    for name, text in (("broken", "name: broken\nowner:"), ("young", toy_yaml.replace("name: toy", "name: young"))):
        (project / "include/pipelines" / name).mkdir()
        (project / "include/pipelines" / name / "pipeline.yaml").write_text(text)
    with served_toy.running(served.model_copy(update={"project_dir": project})) as client:
        assert ask(client, {"features": EXPLICIT}).status_code == 200
        for name, says in (("broken", "pipeline.yaml:"), ("young", "young has no champion yet: run young__training")):
            answer = client.post(f"/v1/pipelines/{name}/predict", json={"features": EXPLICIT})
            assert answer.status_code == 503
            assert says in answer.json()["error"]["message"]


def test_files_that_are_not_those_that_were_judged_are_not_served(served, monkeypatch):
    real = model_version.version_files

    def changed(*given):
        files = real(*given)
        return {**files, "MLmodel": files["MLmodel"] + b"\n"}

    monkeypatch.setattr(model_version, "version_files", changed)
    slots = Champions(served)
    slots.look()
    assert slots.slots["toy"].served is None
    assert "the files of toy version 1 were changed" in slots.slots["toy"].problem


def test_a_decision_changed_in_the_past_is_found_by_the_slow_rhythm_or_a_promotion_and_mended(quick):
    settings = quick.settings
    quick.look()
    promote(settings, 2, 1)
    quick.look()
    first = tables.ledger_entries.c.sequence == 2

    def write(text):
        with state.transaction(settings) as connection:
            was = connection.execute(sa.select(tables.ledger_entries.c.payload).where(first)).scalar_one()
            connection.execute(tables.ledger_entries.update().where(first).values(payload=text))
        return was

    def standing():
        slot = quick.slots["toy"]
        return slot.served.version, "entry 2 " in slot.problem, bool(slot.problem)

    text = write('{"why":"else"}')
    quick.look()
    assert standing() == (2, False, False)
    quick.verify()
    quick.look()
    assert standing() == (2, True, True)
    write(text)
    quick.verify()
    quick.look()
    assert standing() == (2, False, False)
    write('{"why":"else"}')
    promote(settings, 3, 2)
    quick.look()
    assert standing() == (2, True, True)
    write(text)
    quick.verify()
    quick.look()
    assert standing() == (3, False, False)
