"""Feedback: outcomes land as files of the outcome feed; duplicates, unknown ids and contradictions are defined."""

import json
from pathlib import Path

import pytest
from tests.support import served_toy, toy
from tests.support.served_toy import CUTOFF, EXPLICIT, NOON, ask

from airloop.errors import UpstreamUnavailable
from airloop.serving import collect, feedback_files
from airloop.stores import lake

TIME = "2020-01-26T13:05:00Z"
JOB = f"j{CUTOFF:03d}-031"


@pytest.fixture
def client(served):
    with served_toy.running(served) as running:
        yield running


def send(client, **outcome):
    return client.post("/v1/feedback", json=outcome)


def about(job=JOB, **more):
    return {"pipeline": "toy", "entity": {"job": job}, "outcome": True, "time": TIME, **more}


def predicted(client, **row):
    row = row or {"entity": {"job": JOB, "machine": "m1"}, "as_of": NOON.isoformat()}
    return ask(client, row).json()["predictions"][0]["prediction_id"]


def landed(settings):
    folder = Path(settings.landing_uri) / "toy" / "failures"
    return sorted(path for path in folder.glob("*.csv") if ".feedback." in path.name)


def test_an_outcome_of_a_prediction_lands_as_a_row_of_the_outcome_feed(client, served):
    answer = send(client, prediction_id=predicted(client), outcome=True, time=TIME)
    assert answer.json() == {"outcomes": [{"status": "taken", "pipeline": "toy", "feed": "failures"}]}
    (uri,) = feedback_files.land(toy.toy_pipeline(served), served)
    assert uri.endswith("/toy/failures/2020-01-26.feedback.1.csv")
    assert Path(uri).read_text() == f"job,ended_at,failed\n{JOB},2020-01-26T13:05:00Z,true\n"
    assert feedback_files.land(toy.toy_pipeline(served), served) == ()


def test_landed_feedback_goes_through_the_same_door_and_stands_over_what_landed_before(client, served):
    pipeline = toy.toy_pipeline(served)
    toy.land(served, days=range(CUTOFF, CUTOFF + 1))
    first, other = f"j{CUTOFF:03d}-000", f"j{CUTOFF:03d}-001"
    for job, outcome in ((first, True), (other, False)):
        assert send(client, **about(job, outcome=outcome)).status_code == 200
    feedback_files.land(pipeline, served)
    toy.run("ingest", served, toy.days(CUTOFF, CUTOFF + 1))
    rows = lake.read(lake.table_uri(served, "toy", "raw", "failures"), served).to_pandas().set_index("job")
    assert (rows.loc[first, "failed"], rows.loc[other, "failed"]) == (True, False)
    assert len(rows[rows.index.str.startswith(f"j{CUTOFF:03d}")]) == toy.ROWS_A_DAY


def test_a_collected_prediction_is_still_found(client, served):
    number = predicted(client)
    client.service.log.close()
    collect.collect(toy.toy_pipeline(served), served)
    assert send(client, prediction_id=number, outcome=False, time=TIME).status_code == 200


def test_the_same_outcome_twice_is_one(client, served):
    assert send(client, **about()).json()["outcomes"][0]["status"] == "taken"
    assert send(client, **about()).json()["outcomes"][0]["status"] == "duplicate"
    assert send(client, prediction_id=predicted(client), outcome=True, time=TIME).json()["outcomes"][0]["status"] == (
        "duplicate"
    )
    feedback_files.land(toy.toy_pipeline(served), served)
    assert send(client, **about()).json()["outcomes"][0]["status"] == "duplicate"
    assert feedback_files.land(toy.toy_pipeline(served), served) == ()


def test_a_contradiction_is_refused_unless_it_is_said_to_correct(client, served):
    assert send(client, **about()).status_code == 200
    feedback_files.land(toy.toy_pipeline(served), served)
    refused = send(client, **about(outcome=False))
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "contradiction")
    assert "failed is True there and False here; send `corrects: true`" in refused.json()["error"]["message"]
    assert send(client, **about(outcome=False, corrects=True)).json()["outcomes"][0]["status"] == "correction"
    (uri,) = feedback_files.land(toy.toy_pipeline(served), served)
    assert "false" in Path(uri).read_text()
    assert [path.name for path in landed(served)] == ["2020-01-26.feedback.1.csv", "2020-01-26.feedback.2.csv"]


def test_of_several_outcomes_that_land_together_the_last_counts(client, served):
    send(client, **about())
    send(client, **about(outcome=False, corrects=True))
    (uri,) = feedback_files.land(toy.toy_pipeline(served), served)
    assert Path(uri).read_text().count(JOB) == 1
    assert "false" in Path(uri).read_text()


def test_a_batch_is_taken_as_a_whole_or_not_at_all(client, served):
    good = about(f"j{CUTOFF:03d}-002")
    refused = send(client, outcomes=[good, about(prediction_id="0" * 32, entity={})])
    assert (refused.status_code, refused.json()["error"]["row"]) == (404, 1)
    assert feedback_files.land(toy.toy_pipeline(served), served) == ()
    contradicting = [good, {**good, "outcome": False}]
    assert send(client, outcomes=contradicting).json()["error"]["row"] == 1
    assert feedback_files.land(toy.toy_pipeline(served), served) == ()
    taken = send(client, outcomes=[good, about(f"j{CUTOFF:03d}-003", time="2020-01-25T23:00:00Z")])
    assert [item["status"] for item in taken.json()["outcomes"]] == ["taken", "taken"]
    assert len(feedback_files.land(toy.toy_pipeline(served), served)) == 2  # one a day


@pytest.mark.parametrize(
    ("outcome", "status", "says"),
    [
        ({"prediction_id": "0" * 32, "outcome": True, "time": TIME}, 404, "no prediction '0000"),
        ({"prediction_id": "nonsense", "outcome": True, "time": TIME}, 404, "no prediction 'nonsense'"),
        ({"outcome": True, "time": TIME}, 422, "by `prediction_id`, or by `pipeline` and `entity`"),
        (about(prediction_id="0" * 32), 422, "by `prediction_id`, or by"),
        ({"entity": {"job": JOB}, "outcome": True, "time": TIME}, 422, "needs `pipeline`"),
        (about(pipeline="tyo"), 404, "did you mean 'toy'?"),
        (about(entity={"jbo": JOB}), 422, "did you mean 'job'?"),
        (about(entity={"job": 3}), 422, "entity needs 'job', a text"),
        (about(outcome="yes"), 422, "column 'failed' has to be true or false, not str"),
        (about(outcome={"faild": True}), 422, "did you mean 'failed'?"),
        (about(outcome={}), 422, "needs column 'failed'"),
        (about(time="0001-01-01T00:00:00Z"), 422, "outside the years 1900 to 2199"),
        (about(time="yesterday"), 422, "'yesterday' is not an ISO 8601 instant"),
        (about(time="2020-01-26T13:05:00"), 422, "has no UTC offset"),
        ({"pipeline": "toy", "entity": {"job": JOB}, "time": TIME}, 422, "field 'outcome' is missing"),
        ({"outcomes": []}, 422, "send 1 to 1000"),
        ({"outcomes": [], "time": TIME}, 422, "either `outcomes`"),
        ({"outcoms": []}, 422, "did you mean 'outcomes'?"),
        (
            about(time="2019-12-31T23:59:59Z"),
            422,
            "outside the coverage of toy, 2020-01-01T00:00Z to 2020-03-01T00:00Z",
        ),
        (about(time="2020-03-01T00:00:00Z"), 422, "no window would read the outcome"),
    ],
)
def test_what_is_wrong_with_an_outcome_is_named(client, outcome, status, says):
    answer = client.post("/v1/feedback", json=outcome)
    assert answer.status_code == status
    assert says in answer.json()["error"]["message"]


def test_an_outcome_at_the_edge_of_the_coverage_is_taken(client):
    for job, time in (("first", "2020-01-01T00:00:00Z"), ("last", "2020-02-29T23:59:59Z")):
        assert send(client, **about(job, time=time)).json()["outcomes"][0]["status"] == "taken"


def test_a_key_that_is_there_twice_is_refused_and_nothing_is_taken(client, served):
    twice = json.dumps(about()).replace('"outcome": true', '"outcome": true, "outcome": false')
    answer = client.post("/v1/feedback", content=twice)
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "outcome")
    assert "'outcome' is there twice" in answer.json()["error"]["message"]
    assert feedback_files.land(toy.toy_pipeline(served), served) == ()


def test_a_prediction_that_was_asked_without_keys_takes_no_outcome_by_its_id(client):
    number = predicted(client, features=EXPLICIT)
    answer = send(client, prediction_id=number, outcome=True, time=TIME)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "no_entity")


def test_feedback_waits_while_the_landing_folder_cannot_be_written(client, served, tmp_path):
    assert send(client, **about()).status_code == 200
    (tmp_path / "file").write_text("")
    nowhere = served.model_copy(update={"landing_uri": str(tmp_path / "file")})
    with pytest.raises(UpstreamUnavailable, match="the feedback waits"):
        feedback_files.land(toy.toy_pipeline(served), nowhere)
    assert len(feedback_files.land(toy.toy_pipeline(served), served)) == 1


def test_the_command_collects_the_log_and_lands_feedback(served_home, airloop):
    done = airloop("collect-log", "toy")
    assert done.code == 0
    assert "toy: 0 records" in done.out
