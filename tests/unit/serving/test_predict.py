"""Asked over HTTP: the same prediction as in batch and by the model's own pipeline, and every mistake named."""

import json
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.support import served_toy, toy
from tests.support.served_toy import CUTOFF, EXPLICIT, NOON, ask

from airloop.config.serving import Serving
from airloop.features import examples
from airloop.models import model_version
from airloop.records import Window
from airloop.serving.prediction_log import read_segment, segments
from airloop.stores import ledger

DAY = toy.days(CUTOFF, CUTOFF + 1)
PREDICT = "/v1/pipelines/toy/predict"


def entity(number: int = 31, machine: str = "m1") -> dict[str, str]:
    return {"job": f"j{CUTOFF:03d}-{number:03d}", "machine": machine}


def decision(settings):
    return ledger.history(settings, "toy").in_force().payload["decision_sequence"]


def test_a_row_by_its_keys_is_predicted_as_in_batch_and_by_the_pipeline(client, served_home):
    pipeline = toy.toy_pipeline(served_home)
    hour = Window(NOON, NOON.replace(minute=0) + timedelta(hours=1))
    frame = examples.feature_frame(pipeline, hour, served_home, with_labels=False)
    machines = dict(examples.examples(pipeline, hour, served_home).select(["job", "machine"]).to_pandas().values)
    model = model_version.load_version(pipeline, 1, served_home)
    expected = model.predict(pipeline, frame)
    rows = [
        {"entity": {"job": job, "machine": machines[job]}, "as_of": decided.isoformat()}
        for job, decided in zip(frame["job"], frame["decision_time"], strict=True)
    ]
    answer = ask(client, {"rows": rows}).json()
    assert len(rows) >= 2
    assert (answer["model_version"], answer["decision"]) == (1, decision(served_home))
    found = [row["prediction"] for row in answer["predictions"]]
    assert found == pytest.approx(list(expected), abs=1e-12)
    alone = [ask(client, row).json()["predictions"][0]["prediction"] for row in rows]
    assert alone == pytest.approx(found, abs=1e-12)
    first = answer["predictions"][0]
    assert first["flags"] == {}
    heat_known = NOON.replace(minute=1)
    assert first["feature_ages_seconds"]["machine_heat"] == (frame["decision_time"][0] - heat_known).total_seconds()


def test_explicit_features_are_predicted_without_any_look_up(client, served_home):
    answer = ask(client, {"features": EXPLICIT}).json()
    (row,) = answer["predictions"]
    assert row["feature_ages_seconds"] == {}
    assert len(row["prediction_id"]) == 32
    pipeline = toy.toy_pipeline(served_home)
    model = model_version.load_version(pipeline, 1, served_home)
    import pandas as pd

    frame = pd.DataFrame([EXPLICIT])[list(model.features)]
    assert row["prediction"] == pytest.approx(model.predict(pipeline, frame)[0], abs=1e-12)


def test_explicit_features_stand_before_looked_up_ones(client):
    as_of = {"as_of": NOON.isoformat()}
    looked_up = ask(client, {"entity": entity(), **as_of}).json()["predictions"][0]
    hot = ask(client, {"entity": entity(), "features": {"celsius": 90}, **as_of}).json()["predictions"][0]
    assert hot["prediction"] > looked_up["prediction"]
    assert set(looked_up["feature_ages_seconds"]) == {"job_static", "machine_heat"}
    assert set(hot["feature_ages_seconds"]) == {"job_static"}


def test_a_batch_is_answered_as_its_rows_alone_and_whole_numbers_are_numbers(client, served_home):
    changes = ({}, {"job_size": 40}, {"celsius": None}, {"machine_code": "never seen"}, {"machine_code": None})
    rows = [{"features": {**EXPLICIT, **change}} for change in changes]
    answers = ask(client, {"rows": rows}).json()["predictions"]
    together = [row["prediction"] for row in answers]
    records = {record.id: record for path in segments(served_home, "toy") for record in read_segment(path)}
    logged = [records[row["prediction_id"]].features for row in answers]
    assert logged == [row["features"] for row in rows]
    assert {type(row["job_size"]) for row in logged} == {float}
    assert together == [ask(client, row).json()["predictions"][0]["prediction"] for row in rows]
    assert together[0] == together[1]


@pytest.mark.parametrize(
    ("body", "status", "code", "says"),
    [
        ({"features": {**EXPLICIT, "celsius": "hot"}}, 422, "wrong_type", "'celsius' has to be a number or null"),
        ({"features": {**EXPLICIT, "celsius": True}}, 422, "wrong_type", "'celsius' has to be a number or null"),
        ({"features": {**EXPLICIT, "machine_code": 3}}, 422, "wrong_type", "'machine_code' has to be a text or null"),
        ({"features": {**EXPLICIT, "celsuis": 3}}, 422, "unknown_feature", "did you mean 'celsius'?"),
        ({"features": {"celsius": 3.0}}, 422, "missing_feature", "'machine_code' is not sent"),
        ({"features": {**EXPLICIT, "celsius": 10**400}}, 422, "not_finite", "'celsius' has to be finite"),
        ({"entity": {"machine": "m1"}}, 422, "missing_key", "a row is named by its 'job'"),
        ({"entity": {"job": "j1"}}, 422, "missing_key", "key 'machine' is needed to look up view 'machine_heat'"),
        ({"entity": {"jbo": "j1"}}, 422, "unknown_key", "did you mean 'job'?"),
        ({"entity": {"job": 5, "machine": "m1"}}, 422, "wrong_type", "key 'job' has to be a text"),
        ({"featurs": EXPLICIT}, 422, "wrong_shape", "did you mean 'features'?"),
        ({"rows": [{"featurs": {}}]}, 422, "wrong_shape", "did you mean 'features'?"),
        ({"rows": []}, 422, "no_rows", "at least one"),
        ({"rows": [{"features": EXPLICIT}], "features": EXPLICIT}, 422, "two_forms", "either `rows`"),
        ({"rows": [{"features": EXPLICIT}] * 1001}, 413, "too_many_rows", "serving.max_rows"),
        ({"features": EXPLICIT, "as_of": "2020-01-01T00:00:00"}, 422, "wrong_instant", "has no UTC offset"),
        ([1, 2], 422, "wrong_shape", "body"),
    ],
)
def test_what_is_wrong_is_named_with_its_field(client, body, status, code, says):
    answer = ask(client, body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code)
    assert says in error["message"]


def test_a_mistake_in_a_batch_names_its_row_and_nothing_is_logged(client, served_home):
    before = client.service.log.written
    answer = ask(client, {"rows": [{"features": EXPLICIT}, {"features": {**EXPLICIT, "job_size": "x"}}]})
    error = answer.json()["error"]
    assert (answer.status_code, error["row"], error["field"], error["value"]) == (422, 1, "job_size", "x")
    assert client.service.log.written == before


def test_a_body_that_is_no_json_or_too_large_is_refused(client):
    assert ask(client, None, content=b"{nope").json()["error"]["code"] == "not_json"
    large = client.post("/v1/pipelines/toy/predict", content=b" " * (5 << 20))
    assert (large.status_code, large.json()["error"]["code"]) == (413, "body_too_large")


def test_an_unknown_pipeline_names_the_nearest_one(client):
    answer = client.post("/v1/pipelines/tyo/predict", json={"features": EXPLICIT})
    assert answer.status_code == 404
    assert "did you mean 'toy'?" in answer.json()["error"]["message"]


def test_an_unknown_path_and_a_wrong_method_say_where_to_look(client):
    assert client.get("/v1/pipeline/toy").json()["error"]["code"] == "unknown_path"
    answer = client.get("/v1/pipelines/toy/predict")
    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "wrong_method")


def test_every_answer_is_in_the_log_with_what_it_was_made_from(client, served_home):
    row = {"entity": entity(), "features": {"celsius": 70.5}, "as_of": NOON.isoformat()}
    answer = ask(client, row).json()
    (said,) = answer["predictions"]
    records = [record for path in segments(served_home, "toy") for record in read_segment(path)]
    (record,) = [record for record in records if record.id == said["prediction_id"]]
    assert (record.version, record.prediction) == (1, said["prediction"])
    assert record.decision == answer["decision"] == decision(served_home)
    assert record.entity == row["entity"]
    assert record.features["celsius"] == 70.5
    assert record.explicit == ["celsius"]
    assert record.ages == said["feature_ages_seconds"]
    assert record.caller == "open"
    assert record.latency_ms > 0


def test_a_request_that_takes_too_long_is_answered_with_503(served):
    with served_toy.running(served) as client:
        slot = client.service.champions.slots["toy"]
        real = slot.served

        def slow(rows):
            released.wait(10)
            return real.form.predict(rows)

        released = threading.Event()
        hurried = real.pipeline.model_copy(update={"serving": Serving(timeout_seconds=0.1)})
        changed = replace(real, pipeline=hurried, form=replace(real.form, name="pipeline", predict=slow))
        client.service.champions.slots = {"toy": replace(slot, served=changed)}
        answer = ask(client, {"features": EXPLICIT})
        released.set()
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "too_slow")


def test_texts_that_no_store_can_hold_and_instants_of_other_ages_are_refused(client):
    half = b'{"dataframe_records": [{"machine_code": "\\ud800", "job_size": 1, "celsius": 2}]}'
    answer = client.post("/invocations", content=half, headers={"Content-Type": "application/json"})
    assert (answer.status_code, "not valid Unicode" in answer.json()["message"]) == (422, True)
    nul = ask(client, {"features": {**EXPLICIT, "machine_code": "m\0"}})
    assert nul.json()["error"]["code"] == "strange_text"
    for text in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"):
        answer = ask(client, {"features": EXPLICIT, "as_of": text})
        assert (answer.status_code, answer.json()["error"]["field"]) == (422, "as_of")


def test_the_figures_count_requests_predictions_and_refusals(client):
    ask(client, {"features": EXPLICIT})
    ask(client, {"features": {}})
    text = client.get("/metrics").text
    assert 'airloop_serving_predictions_total{worker="' in text
    assert 'pipeline="toy",version="1"}' in text
    assert 'code="missing_feature"}' in text
    assert 'airloop_serving_version{worker="' in text
    names = {line.split("{")[0].split()[0] for line in text.splitlines() if not line.startswith("#")}
    assert all(name.startswith("airloop_serving_") for name in names)


def test_the_fast_form_serves_the_toy(client):
    assert client.get("/status").json()["pipelines"]["toy"]["form"] in ("trees", "linear")


def test_the_document_lists_the_pipeline_with_its_types_and_an_example_that_is_answered(client):
    document = client.get("/openapi.json").json()
    body = document["paths"]["/v1/pipelines/toy/predict"]["post"]["requestBody"]["content"]["application/json"]
    row = body["schema"]["anyOf"][0]["properties"]["features"]["properties"]
    assert row["celsius"] == {"type": ["number", "null"]}
    assert row["machine_code"] == {"type": ["string", "null"]}
    for name in ("explicit features", "several rows"):
        assert ask(client, body["examples"][name]["value"]).status_code == 200


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('"job_size"', '"job_size": 1, "job_size"', "job_size"),
        ('"features"', '"features": {}, "features"', "features"),
        ('"as_of"', '"as_of": null, "as_of"', "as_of"),
        ('"as_of": "2020-01-26T12:', '"as_of": null, "as_of": "2020-01-26T12\\u003a', "as_of"),
        ('"job_size"', '"celsius": 1, "job\\u005fsize"', "celsius"),
    ],
)
@pytest.mark.parametrize("rows", [False, True])
def test_a_key_that_is_there_twice_is_refused_by_its_name(client, old, new, field, rows):
    row = {"features": EXPLICIT, "as_of": "2020-01-26T12:00:00Z"}
    text = json.dumps({"rows": [row, row]} if rows else row)
    assert client.post(PREDICT, content=text).status_code == 200
    answer = client.post(PREDICT, content=new.join(text.rsplit(old, 1)))
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "repeated_key")
    assert (answer.json()["error"]["field"], f"{field!r} is there twice" in answer.text) == (field, True)


def test_a_text_that_looks_like_a_key_is_none(client):
    texts = {**EXPLICIT, "machine_code": 'a":1,"job_size":2'}
    assert ask(client, {"features": texts}).status_code == 200


@pytest.mark.parametrize("number", ["1e400", "-1e400", "9" * 5000, "9" * 400])
def test_a_number_beyond_all_numbers_is_refused_by_its_field(client, number):
    body = json.dumps({"features": {**EXPLICIT, "job_size": 0}}).replace(": 0", f": {number}")
    answer = client.post(PREDICT, content=body).json()["error"]
    assert (answer["code"], answer["field"], "send null" in answer["message"]) == ("not_finite", "job_size", True)
    assert len(answer["value"]) < 100


def test_what_is_sent_does_not_make_an_answer_of_its_length(client):
    for body in ({"features": {"x" * 100_000: 1}}, {"features": EXPLICIT, "as_of": "x" * 100_000}, {"y" * 100_000: 1}):
        answer = ask(client, body)
        assert (answer.status_code, len(answer.content) < 4000) == (422, True)
