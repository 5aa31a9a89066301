"""A challenger beside the champion: who is one, what it answers, that it does no harm, that nobody judges it live."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.support import ledger_entries, served_toy, toy
from tests.support.served_toy import CUTOFF, EXPLICIT, NOON, ask

from airloop.config.serving import Serving
from airloop.config.serving_canary import Canary
from airloop.errors import ConfigError, GuardRefused, UpstreamUnavailable
from airloop.gate import lock
from airloop.models import shadowed_rows
from airloop.models.forms.choose import Form
from airloop.serving import collect, declaration, score
from airloop.serving.in_force import decision_of
from airloop.serving.prediction_log import read_segment, segments
from airloop.serving.served import load_served
from airloop.stores import lake, ledger

START = toy.days(0, CUTOFF).end
HALF = Serving(canary=Canary(share=0.5))
ENTITIES = [{"job": f"j{CUTOFF:03d}-{number:03d}", "machine": "m1"} for number in range(200)]


@pytest.fixture(scope="module")
def real_load(served_home):
    """Version 1 as it is served, loaded once."""
    return load_served(toy.toy_pipeline(served_home), ledger.history(served_home, "toy").in_force(), served_home)


@pytest.fixture
def beside(served, real_load):
    """Starts a service whose version n predicts n / 100, and whose declaration says `serving`."""
    broken: list[Exception] = []

    def load(pipeline, entry, settings):
        version = int(entry.payload["version"])
        if version != 1 and broken:
            raise broken[0]
        form = Form("trees", lambda rows: real_load.form.predict(rows) * 0 + version / 100)
        found = replace(real_load, version=version, decision=decision_of(entry), form=form)
        return replace(found, pipeline=pipeline.model_copy(update={"serving": load.serving}))

    def start(serving):
        load.serving = serving
        running = served_toy.running(served)
        client = running.__enter__()
        stop.append(running)
        client.service.champions.load = load
        client.service.champions.slots = {}
        client.service.champions.look()
        return client

    stop: list = []
    start.broken, start.settings = broken, served
    yield start
    for running in stop:
        running.__exit__(None, None, None)


def waits(settings, version=2):
    """A decision that passed and waits for its promotion."""
    return ledger_entries.decided(settings, "toy", version, at=START + timedelta(hours=1), champion=1)


def answered(client, entities=ENTITIES):
    rows = [{"entity": entity, "as_of": NOON.isoformat()} for entity in entities]
    return ask(client, {"rows": rows}).json()


def logged(settings):
    return [record for path in segments(settings, "toy") for record in read_segment(path)]


def by(client):
    """Job -> version that answered."""
    body = answered(client)
    return {row["entity"]["job"]: row.get("model_version", body["model_version"]) for row in body["predictions"]}


def test_a_shadow_predicts_every_row_and_returns_none(beside):
    waits(beside.settings)
    client = beside(Serving(shadow=True))
    body = answered(client)
    assert body["model_version"] == 1
    assert {row["prediction"] for row in body["predictions"]} == {0.01}
    records = logged(beside.settings)
    assert {(record.version, record.role, record.other.version, record.other.prediction) for record in records} == {
        (1, "", 2, 0.02)
    }
    metrics = client.get("/metrics").text
    assert 'compared_answers_total{worker="' in metrics
    assert [
        line.rsplit(" ", 1)[1] for line in metrics.splitlines() if line.startswith("airloop_serving_compared_")
    ] == [
        "200",
        "2",
    ]


def test_a_canary_answers_about_its_share_always_the_same_entities_and_says_so(beside):
    number = waits(beside.settings)
    client = beside(HALF)
    first = by(client)
    assert set(first.values()) == {1, 2}
    assert 70 <= sum(version == 2 for version in first.values()) <= 130
    assert by(client) == first
    job = next(name for name, version in first.items() if version == 2)
    alone = ask(client, {"entity": {"job": job, "machine": "m1"}, "as_of": NOON.isoformat()}).json()
    assert (alone["model_version"], alone["decision"], alone["predictions"][0]["prediction"]) == (2, number, 0.02)
    assert ask(client, {"features": EXPLICIT}).json()["model_version"] == 1
    canary = [record for record in logged(beside.settings) if record.role == "canary"]
    assert {(record.version, record.other.version) for record in canary} == {(2, 1)}
    assert client.get("/status").json()["pipelines"]["toy"]["challenger"] == {
        "version": 2,
        "shadows": False,
        "share": 0.5,
        "problem": "",
    }


def test_a_canary_by_another_key_keeps_all_rows_of_an_entity_together(beside):
    waits(beside.settings)
    client = beside(Serving(canary=Canary(share=0.5, by="machine")))
    body = answered(client, [{"job": f"x{number}", "machine": "m1"} for number in range(20)])
    assert len({row.get("model_version", body["model_version"]) for row in body["predictions"]}) == 1


def test_nobody_is_asked_beside_the_champion_where_the_declaration_does_not_say_so(beside):
    waits(beside.settings)
    client = beside(Serving())
    answered(client)
    assert {record.other for record in logged(beside.settings)} == {None}
    assert client.get("/status").json()["pipelines"]["toy"]["challenger"] is None


@pytest.mark.parametrize("answer", ["rejected", "superseded"])
def test_a_challenger_that_a_person_rejects_or_that_is_superseded_is_gone_at_the_next_look(beside, answer):
    number = waits(beside.settings)
    client = beside(Serving(shadow=True, canary=HALF.canary))
    assert client.service.champions.slots["toy"].beside.version == 2
    payload = {"decision_sequence": number, "version": 2, "who": "ann", "why": "no", "starter": ""}
    ledger.append(beside.settings, "toy", kind=answer, effective_at=START, payload=payload)
    client.service.champions.look()
    assert client.service.champions.slots["toy"].beside is None
    assert set(by(client).values()) == {1}


def test_an_approved_one_stays_until_it_is_promoted_and_then_answers_everything(beside):
    number = waits(beside.settings)
    client = beside(HALF)
    payload = {"decision_sequence": number, "version": 2, "who": "ann", "why": "yes", "starter": ""}
    ledger.append(beside.settings, "toy", kind="approved", effective_at=START, payload=payload)
    client.service.champions.look()
    assert set(by(client).values()) == {1, 2}
    at = START + timedelta(hours=1)
    ledger_entries.begin(beside.settings, "toy", 2, number, at=at, previous=1)
    ledger_entries.act(beside.settings, "toy", "done", 2, number, at=at, previous=1)
    client.service.champions.look()
    assert client.service.champions.slots["toy"].beside is None
    assert set(by(client).values()) == {2}


def test_a_lock_takes_the_canary_back_and_lets_the_shadow_go_on(beside):
    waits(beside.settings)
    client = beside(Serving(shadow=True, canary=HALF.canary))
    lock.lock(beside.settings, "toy", why="the outcomes are being checked", who="ann")
    client.service.champions.look()
    assert set(by(client).values()) == {1}
    assert {record.other.version for record in logged(beside.settings)} == {2}
    lock.unlock(beside.settings, "toy", why="they are right", who="ann")
    client.service.champions.look()
    assert set(by(client).values()) == {1, 2}


def test_a_newer_version_that_passed_takes_the_older_challengers_place(beside):
    waits(beside.settings)
    client = beside(Serving(shadow=True))
    waits(beside.settings, version=3)
    client.service.champions.look()
    assert client.service.champions.slots["toy"].beside.version == 3


@pytest.mark.parametrize("error", [GuardRefused("its files are gone"), ValueError("no such column")])
def test_a_challenger_that_does_not_load_leaves_the_champion_alone_and_says_why(beside, error):
    waits(beside.settings)
    beside.broken.append(error)
    client = beside(Serving(shadow=True, canary=HALF.canary))
    assert set(by(client).values()) == {1}
    assert str(error) in client.get("/status").json()["pipelines"]["toy"]["challenger"]["problem"]
    assert "challenger_problem{" in client.get("/metrics").text
    assert client.get("/status").json()["pipelines"]["toy"]["problem"] == ""


def test_a_challenger_whose_store_does_not_answer_is_loaded_later(beside, monkeypatch):
    waits(beside.settings)
    beside.broken.append(UpstreamUnavailable("MLflow does not answer"))
    client = beside(Serving(shadow=True))
    assert client.service.champions.slots["toy"].beside is None
    beside.broken.clear()
    monkeypatch.setattr("airloop.serving.champions.time.monotonic", lambda: 1e9)
    client.service.champions.look()
    assert client.service.champions.slots["toy"].beside.version == 2


def test_a_challenger_that_fails_on_a_row_costs_nobody_an_answer(beside):
    waits(beside.settings)
    client = beside(Serving(shadow=True, canary=HALF.canary))

    def fails(_rows):
        raise RuntimeError("planted")

    slot = client.service.champions.slots["toy"]
    challenger = replace(slot.beside.served, form=Form("trees", fails))
    client.service.champions.slots = {"toy": replace(slot, beside=replace(slot.beside, served=challenger))}
    assert set(by(client).values()) == {1}
    assert {record.role for record in logged(beside.settings)} == {""}


def test_rows_of_both_are_kept_apart_from_those_that_monitoring_judges(beside):
    pipeline = toy.toy_pipeline(beside.settings)
    number = waits(beside.settings)
    client = beside(Serving(shadow=True, canary=HALF.canary))
    versions = by(client)
    ask(client, {"features": EXPLICIT})
    done = collect.collect(pipeline, beside.settings)
    champions = sum(version == 1 for version in versions.values())
    assert (done.online, done.shadowed, done.scored) == (201, 201, champions)
    assert collect.collect(pipeline, beside.settings).shadowed == 0
    judged = lake.read(score.predictions_uri(pipeline, beside.settings), beside.settings).to_pylist()
    assert {row["model_version"] for row in judged} == {1}
    assert len(judged) == champions
    pairs = lake.read(shadowed_rows.shadow_uri(pipeline, beside.settings), beside.settings).to_pylist()
    assert {(row["champion_version"], row["champion_prediction"]) for row in pairs} == {(1, 0.01)}
    assert {(row["challenger_version"], row["challenger_decision"], row["challenger_prediction"]) for row in pairs} == {
        (2, number, 0.02)
    }
    assert {row["job"]: row["returned"] for row in pairs if row["job"]} == {
        job: "champion" if version == 1 else "canary" for job, version in versions.items()
    }
    assert [row["returned"] for row in pairs if row["job"] is None] == ["champion"]


def test_a_canary_by_a_key_there_is_not_is_refused_with_the_nearest(served_home):
    def declared(by):
        serving = Serving(canary=Canary(share=0.1, by=by))
        return toy.toy_pipeline(served_home).model_copy(update={"serving": serving})

    declaration.check(declared("machine"), served_home)
    with pytest.raises(ConfigError, match=r"serving.canary.by: no key 'machin'.*machine"):
        declaration.check(declared("machin"), served_home)
