"""MLflow's scoring protocol by MLflow's own client, and the Open Inference Protocol."""

import json
from urllib.parse import urlsplit

import pandas as pd
import pytest
from mlflow.pyfunc.scoring_server.client import ScoringServerClient
from tests.support import toy
from tests.support.served_toy import CUTOFF, EXPLICIT, NOON, ask
from tests.support.waiting import bound

from airloop.models import model_version


@pytest.fixture(scope="module")
def wanted(served_home):
    """What the model's own pipeline says of two rows, one with a missing number."""
    model = model_version.load_version(toy.toy_pipeline(served_home), 1, served_home)
    frame = pd.DataFrame([EXPLICIT, {**EXPLICIT, "celsius": None}])
    return frame, model.model.predict_proba(frame[list(model.features)])


def test_mlflows_own_client_gets_what_mlflow_would_serve(client, wanted):
    frame, expected = wanted
    place = urlsplit(client.url)
    mlflow = ScoringServerClient(place.hostname, place.port)
    mlflow.ping()
    mlflow.wait_server_ready(timeout=bound(10))
    found = mlflow.invoke(frame).get_predictions().to_numpy()
    assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("form", ["dataframe_split", "dataframe_records", "instances", "inputs"])
def test_each_format_of_a_frame_is_read(client, wanted, form):
    _, expected = wanted
    records = [EXPLICIT, {**EXPLICIT, "celsius": None}]
    split = {"columns": list(EXPLICIT), "data": [list(row.values()) for row in records]}
    columns = {name: [row[name] for row in records] for name in EXPLICIT}
    body = {"dataframe_split": split, "inputs": columns}.get(form, records)
    answer = client.post("/invocations", json={form: body})
    assert answer.status_code == 200
    assert answer.headers["x-airloop-model-version"] == "1"
    assert answer.json()["predictions"] == [pytest.approx(row, abs=1e-12) for row in expected.tolist()]


def test_csv_and_columns_that_are_no_features_are_read_as_mlflow_does(client, wanted):
    _, expected = wanted
    text = "machine_code,job_size,celsius,note\nm1,40,61.5,x\nm1,40,,y\n"
    answer = client.post("/invocations", content=text, headers={"Content-Type": "text/csv"})
    assert answer.json()["predictions"] == [pytest.approx(row, abs=1e-12) for row in expected.tolist()]


def test_keys_in_a_frame_are_looked_up(client):
    row = {"job": f"j{CUTOFF:03d}-031", "machine": "m1"}
    answer = client.post("/v1/pipelines/toy/invocations", json={"dataframe_records": [row]})
    by_keys = ask(client, {"entity": row}).json()["predictions"][0]["prediction"]
    assert answer.json()["predictions"][0][1] == pytest.approx(by_keys, abs=1e-12)


def test_a_frame_that_is_looked_up_may_say_when_it_is_about(client):
    row = {"job": f"j{CUTOFF:03d}-031", "machine": "m1"}
    body = {"dataframe_records": [row], "params": {"as_of": NOON.isoformat()}}
    found = client.post("/invocations", json=body).json()["predictions"][0][1]
    by_keys = ask(client, {"entity": row, "as_of": NOON.isoformat()}).json()["predictions"][0]
    assert (found, by_keys["flags"]) == (pytest.approx(by_keys["prediction"], abs=1e-12), {})
    for wrong in (3, "noon"):
        refused = client.post("/invocations", json={**body, "params": {"as_of": wrong}})
        assert 400 <= refused.status_code < 500
        assert "params.as_of" in refused.json()["message"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"rows": []}, "exactly one of dataframe_split"),
        ({"dataframe_split": {"columns": ["a"], "data": [[1, 2]]}}, "dataframe_split.data[0]"),
        ({"dataframe_split": {"data": []}}, "dataframe_split needs columns"),
        ({"inputs": {"a": [1], "b": [1, 2]}}, "as many values"),
        ({"instances": [1, 2]}, "a list of objects"),
        ({"dataframe_records": [{**EXPLICIT, "celsius": "hot"}]}, "'celsius' has to be a number or null"),
        ({"dataframe_records": [{"machine_code": "m1", "job_size": 4, "celsuis": 5}]}, "did you mean 'celsuis'?"),
        ({"dataframe_records": []}, "at least one"),
        (
            {"dataframe_split": {"columns": [*EXPLICIT, "celsius"], "data": [[*EXPLICIT.values(), 9]]}},
            "'celsius' is there twice",
        ),
        ({"dataframe_records": [EXPLICIT], "params": {"asof": "2020-01-26T12:00:00Z"}}, "did you mean 'as_of'?"),
        ({"dataframe_records": [EXPLICIT], "params": [1]}, "params has to be an object"),
        ({"dataframe_records": [{**EXPLICIT, "celsius": "6_1"}]}, "'celsius' has to be a number or null"),
        ({"dataframe_records": [{**EXPLICIT, "celsius": "\u0663"}]}, "'celsius' has to be a number or null"),
    ],
)
def test_what_is_wrong_with_a_frame_is_said_as_mlflow_says_it(client, body, says):
    answer = client.post("/invocations", json=body)
    assert 400 <= answer.status_code < 500
    assert answer.json()["error_code"] == "BAD_REQUEST"
    assert says in answer.json()["message"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("machine_code,job_size,celsius\nm1,40,61.5\nm1,40\n", "row 1 has 2 values, and the header names 3"),
        ("machine_code,job_size,celsius\nm1,40,61.5,7\n", "row 0 has 4 values"),
        ("machine_code,job_size,celsius,job_size\nm1,40,61.5,99\n", "'job_size' is there twice"),
        ('machine_code,job_size,celsius\n"m1,40,61.5\n', "not CSV"),
        ("m1,40,61.5\n", "at least one"),
        ("", "at least one"),
    ],
)
def test_a_table_whose_rows_do_not_fit_its_header_is_refused(client, text, says):
    answer = client.post("/invocations", content=text, headers={"Content-Type": "text/csv"})
    assert 400 <= answer.status_code < 500
    assert says in answer.json()["message"]


def test_a_table_with_the_mark_that_spreadsheets_write_is_read(client, wanted):
    _, expected = wanted
    text = "\ufeffmachine_code,job_size,celsius\r\nm1, 40 ,6.15e1\r\nm1,40,nan\r\n"
    answer = client.post("/invocations", content=text.encode(), headers={"Content-Type": "text/csv"})
    assert answer.json()["predictions"] == [pytest.approx(row, abs=1e-12) for row in expected.tolist()]


def test_a_key_of_a_frame_that_is_there_twice_is_refused(client):
    twice = json.dumps({"dataframe_records": [EXPLICIT]}).replace('"job_size"', '"job_size": 3, "job_size"')
    answer = client.post("/invocations", content=twice, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["field"]) == (422, "job_size")


def test_another_content_type_is_refused(client):
    answer = client.post("/invocations", content=b"x", headers={"Content-Type": "application/xml"})
    assert answer.status_code == 415


def tensors(rows):
    kinds = {"machine_code": "BYTES"}
    return [
        {"name": name, "shape": [len(rows)], "datatype": kinds.get(name, "FP64"), "data": [row[name] for row in rows]}
        for name in rows[0]
    ]


def test_the_open_inference_protocol_answers_tensors(client, wanted):
    _, expected = wanted
    body = {"id": "7", "inputs": tensors([EXPLICIT, {**EXPLICIT, "celsius": None}])}
    answer = client.post("/v2/models/toy/infer", json=body).json()
    assert (answer["id"], answer["model_name"], answer["model_version"]) == ("7", "toy", "1")
    (output,) = answer["outputs"]
    assert (output["shape"], output["datatype"]) == ([2], "FP64")
    assert output["data"] == pytest.approx(expected[:, 1].tolist(), abs=1e-12)


@pytest.mark.parametrize(
    ("datatype", "value", "says"),
    [
        ("INT8", 300, "value 0 is no INT8"),
        ("UINT8", -1, "value 0 is no UINT8"),
        ("INT64", 1.5, "value 0 is no INT64"),
        ("BOOL", 1, "value 0 is no BOOL"),
        ("FP16", 1e10, "value 0 is no FP16"),
        ("FP32", 1e39, "value 0 is no FP32"),
        ("FP64", True, "value 0 is no FP64"),
        ("BYTES", 40, "value 0 is no BYTES"),
        ("FP65", 40, "is not one of FP64"),
    ],
)
def test_a_value_that_its_data_type_cannot_hold_is_refused(client, datatype, value, says):
    body = {"inputs": tensors([EXPLICIT])}
    body["inputs"][1] |= {"datatype": datatype, "data": [value]}
    answer = client.post("/v2/models/toy/infer", json=body)
    assert (answer.status_code, says in answer.json()["error"]) == (422, True)


@pytest.mark.parametrize(("datatype", "value"), [("INT8", 40), ("UINT64", 40.0), ("FP16", 40), ("INT8", None)])
def test_a_value_that_its_data_type_holds_is_the_same_number(client, datatype, value):
    body = {"inputs": tensors([{**EXPLICIT, "job_size": value}])}
    found = client.post("/v2/models/toy/infer", json=body).json()["outputs"][0]["data"]
    body["inputs"][1] |= {"datatype": datatype}
    assert client.post("/v2/models/toy/infer", json=body).json()["outputs"][0]["data"] == found


def test_an_output_that_there_is_not_is_refused_and_the_one_there_is_may_be_named(client):
    body = {"inputs": tensors([EXPLICIT])}
    refused = client.post("/v2/models/toy/infer", json={**body, "outputs": [{"name": "predictions"}]})
    assert (refused.status_code, "did you mean 'prediction'?" in refused.json()["error"]) == (422, True)
    assert client.post("/v2/models/toy/infer", json={**body, "outputs": [{"name": "prediction"}]}).status_code == 200


def test_a_tensor_whose_field_is_there_twice_is_refused(client):
    twice = json.dumps({"inputs": tensors([EXPLICIT])}).replace('"data"', '"data": [9], "data"', 1)
    answer = client.post("/v2/models/toy/infer", content=twice)
    assert (answer.status_code, "'data' is there twice" in answer.json()["error"]) == (422, True)


def test_tensors_of_shape_n_1_nested_data_and_keys_with_as_of(client):
    keys = [
        {"name": "job", "shape": [1, 1], "datatype": "BYTES", "data": [[f"j{CUTOFF:03d}-031"]]},
        {"name": "machine", "shape": [1], "datatype": "BYTES", "data": ["m1"]},
    ]
    body = {"inputs": keys, "parameters": {"as_of": NOON.isoformat()}}
    found = client.post("/v2/models/toy/infer", json=body).json()["outputs"][0]["data"]
    row = {"entity": {"job": f"j{CUTOFF:03d}-031", "machine": "m1"}, "as_of": NOON.isoformat()}
    assert found == [ask(client, row).json()["predictions"][0]["prediction"]]


def test_metadata_and_health_of_models(client):
    assert client.get("/v2").json()["name"] == "airloop"
    model = client.get("/v2/models/toy").json()
    assert model["inputs"][0].keys() == {"name", "datatype", "shape"}
    assert model["versions"] == ["1"]
    assert client.get("/v2/models/toy/ready").json()["ready"] is True
    assert client.get("/v2/models/toy/versions/1").status_code == 200
    other = client.get("/v2/models/toy/versions/9")
    assert (other.status_code, "in force is 1" in other.json()["error"]) == (404, True)
    assert client.get("/v2/models/tyo/ready").status_code == 404


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"shape": [2]}, "shape [2] with 1 values"),
        ({"datatype": "FP65"}, "data type 'FP65' is not one of"),
        ({"data": ["hot"]}, "inputs[celsius]: value 0 is no FP64"),
        ({"name": "celsuis"}, "did you mean 'celsius'?"),
        ({"shape": "x"}, "Expected `array`"),
    ],
)
def test_a_wrong_tensor_is_named(client, change, says):
    inputs = tensors([EXPLICIT])
    inputs[2] = {**inputs[2], **change}
    answer = client.post("/v2/models/toy/infer", json={"inputs": inputs})
    assert 400 <= answer.status_code < 500
    assert says in answer.json()["error"]
