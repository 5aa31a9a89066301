"""`airloop trace`: files, rows, feature values, model, decision and approver behind a prediction."""

import hashlib
import json
from datetime import timedelta
from pathlib import Path

import pytest
from tests.support import command, toy

from airloop.authoring.trace import trace
from airloop.errors import DataContractError, UpstreamUnavailable
from airloop.stores import ledger

# MLflow 3.17 on SQLAlchemy 2.1; it goes when MLflow stops using `noload`.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:sqlalchemy.exc.SADeprecationWarning")

KEY = "j038-007"
DECIDED = toy.days(0, 38).end + timedelta(minutes=120 + 20 * 7 - 30)


@pytest.fixture(scope="module")
def scored(toy_built):
    """Version 1, which anna approved, scored days 36 to 40."""
    decision = toy.run_training(toy_built, 36)
    said = {"decision_sequence": decision.sequence, "version": 1, "who": "anna", "why": "checked", "starter": ""}
    ledger.append(toy_built, "toy", kind="approved", effective_at=decision.effective_at, payload=said)
    toy.run("promote", toy_built, toy.days(0, 36))
    toy.run("score", toy_built, toy.days(36, 40))
    return toy_built


def follow(settings, key=KEY, **options):
    return trace(toy.toy_pipeline(settings), key, settings, **options)


def test_a_prediction_leads_back_to_the_files_it_rests_on(scored):
    found = follow(scored)
    assert (found.prediction["decision_time"], found.prediction["model_version"]) == (DECIDED, 1)
    landing = Path(scored.landing_uri) / "toy"
    (job,) = [item for item in found.clean_rows if item["feed"] == "jobs"]
    file = landing / "jobs" / "2020-02-08.csv"
    assert (job["row"]["job"], job["row"]["size"]) == (KEY, found.features["job_size"])
    assert [item["sha256"] for item in job["files"]] == [hashlib.sha256(file.read_bytes()).hexdigest()]
    heat = [item for item in found.clean_rows if item["feed"] == "heat"]
    assert heat[-1]["row"]["celsius"] == found.features["celsius"]
    assert all(item["row"]["known_at"] <= DECIDED for item in found.clean_rows)
    assert {item["feed"] for item in found.clean_rows} == {"jobs", "heat", "machines"}
    assert {item["view"] for item in found.feature_rows} == {"job_static", "machine_heat"}


def test_it_comes_out_again_and_names_model_decision_and_approver(scored):
    found = follow(scored)
    assert (found.same, found.not_computed, found.others) == (True, "", 0)
    assert found.label in (0.0, 1.0)
    assert (found.model["number"], found.model["cutoff"]) == (1, "2020-02-06T00:00:00Z")
    assert len(found.model["model_digest"]) == 64
    assert [(item["kind"], item["who"]) for item in found.decisions][:4] == [
        *(("trained", ""), ("decision", ""), ("approved", "anna")),
        ("done", ""),
    ]


def test_the_command_says_it_in_words_and_as_json(scored, monkeypatch, capsys):
    airloop = command.in_checkout(scored, monkeypatch, capsys)
    said = airloop("trace", "toy", KEY).out
    for words in ("computed again: the same", "jobs/2020-02-08.csv SHA-256", "approved by anna: checked", "celsius = "):
        assert words in said
    told = json.loads(airloop("trace", "toy", KEY, "--json").out)
    assert told["prediction"]["decision_time"] == f"{DECIDED:%Y-%m-%dT%H:%M:%SZ}"
    assert told["features"] == follow(scored).to_json()["features"]


def test_an_instant_before_the_first_prediction_is_refused_and_one_after_is_not(scored):
    assert follow(scored, at=DECIDED).prediction["decision_time"] == DECIDED
    with pytest.raises(DataContractError, match=r"the first prediction of job 'j038-007' was decided at 2020-02-08"):
        follow(scored, at=DECIDED - timedelta(minutes=1))


def test_a_key_that_nobody_predicted_names_some_that_were(scored):
    with pytest.raises(DataContractError, match=r"nothing was predicted for job 'j038' \(there are for example 'j03"):
        follow(scored, "j038")


def test_before_anything_was_predicted_it_says_how_to(toy_settings):
    with pytest.raises(UpstreamUnavailable, match="nothing has been predicted yet: `airloop run score toy`"):
        follow(toy_settings)
