"""Freshness: a value counts as long as in training; what is older is refused, missing or flagged, as declared."""

import re
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from tests.support import served_toy, toy
from tests.support.served_toy import CUTOFF, NOON, ask

from airloop.authoring import pipeline_check
from airloop.config import Pipeline
from airloop.errors import ConfigError
from airloop.records import Window
from airloop.serving import declaration
from airloop.serving.champions import Champions

KEYS = {"job": f"j{CUTOFF:03d}-031", "machine": "m1"}
STOPPED = NOON + timedelta(hours=4)  # the heat of 12:01 was the last to arrive; its view lives for three hours


def declared(served, tmp_path, text):
    """The home seen from a checkout that declares this freshness."""
    root = tmp_path / "declared"
    shutil.copytree(served.project_dir, root, ignore=shutil.ignore_patterns("home", "__pycache__"))
    path = root / "include/pipelines/toy/pipeline.yaml"
    path.write_text(path.read_text() + f"serving: {{freshness: {text}}}\n")
    return served.model_copy(update={"project_dir": root})


def asked(settings, as_of=STOPPED, **more):
    with served_toy.running(settings) as client:
        return ask(client, {"entity": KEYS, "as_of": as_of.isoformat(), **more})


def test_a_value_past_its_ttl_counts_as_missing_and_the_answer_says_so(client):
    stopped = ask(client, {"entity": KEYS, "as_of": STOPPED.isoformat()}).json()["predictions"][0]
    assert stopped["flags"] == {"machine_heat": "stale"}
    assert stopped["feature_ages_seconds"]["machine_heat"] > 3 * 3600
    without = ask(client, {"entity": KEYS, "features": {"celsius": None}, "as_of": STOPPED.isoformat()}).json()
    assert stopped["prediction"] == without["predictions"][0]["prediction"]


def test_a_feed_that_stops_is_seen_in_the_answers_and_figures_until_it_goes_on(served, tmp_path):
    shutil.copytree(Path(served.online_store["path"]).parent, tmp_path / "online")
    store = {**served.online_store, "path": str(tmp_path / "online" / Path(served.online_store["path"]).name)}
    own = served.model_copy(update={"online_store": store})
    with served_toy.running(own) as client:

        def flags(hours):
            answer = ask(client, {"entity": KEYS, "as_of": (NOON + timedelta(hours=hours)).isoformat()})
            return answer.json()["predictions"][0]["flags"]

        assert [flags(hours) for hours in (0, 1, 2)] == [{}, {}, {}]
        stopped = {"machine_heat": "stale"}
        assert [flags(hours) for hours in (3, 4)] == [stopped, stopped]
        assert re.search(r'flagged_views_total{.*view="machine_heat",flag="stale"} 2', client.get("/metrics").text)
        served_toy.put_online(own, Window(NOON, NOON + timedelta(hours=4)))
        assert flags(4) == {}


def test_a_value_within_its_ttl_is_used_up_to_the_edge(client):
    edge = NOON.replace(minute=1) + timedelta(hours=3)
    inside = ask(client, {"entity": KEYS, "as_of": edge.isoformat()}).json()["predictions"][0]
    assert inside["flags"] == {}
    past = ask(client, {"entity": KEYS, "as_of": (edge + timedelta(microseconds=1)).isoformat()}).json()
    assert past["predictions"][0]["flags"] == {"machine_heat": "stale"}


def test_a_value_known_after_as_of_is_refused(client):
    answer = ask(client, {"entity": KEYS, "as_of": (NOON - timedelta(hours=2)).isoformat()})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "known_later")
    assert "'machine_heat' holds a value known at 2020-01-26T12:01:00Z" in answer.json()["error"]["message"]


def test_without_as_of_the_age_is_measured_now(client):
    (row,) = ask(client, {"entity": KEYS}).json()["predictions"]
    assert row["flags"] == {"job_static": "stale", "machine_heat": "stale"}


def test_a_key_the_store_does_not_hold_is_absent_and_a_null_key_too(client):
    for machine in ("m99", None):
        keys = {**KEYS, "machine": machine}
        (row,) = ask(client, {"entity": keys, "as_of": NOON.isoformat()}).json()["predictions"]
        assert row["flags"] == {"machine_heat": "absent"}
        assert "machine_heat" not in row["feature_ages_seconds"]


def test_stale_values_are_refused_where_the_declaration_says_so(served, tmp_path):
    settings = declared(served, tmp_path, "{machine_heat: {max_age_minutes: 30, when_stale: refuse}}")
    with served_toy.running(settings) as client:
        fresh = ask(client, {"entity": KEYS, "as_of": (NOON + timedelta(minutes=20)).isoformat()})
        assert fresh.status_code == 200
        stopped = ask(client, {"entity": KEYS, "as_of": (NOON + timedelta(minutes=40)).isoformat()})
        error = stopped.json()["error"]
        assert (stopped.status_code, error["code"], error["field"]) == (409, "stale_features", "machine_heat")
        assert "is its feed still arriving?" in error["message"]
        sent = ask(client, {"entity": KEYS, "features": {"celsius": 60}, "as_of": STOPPED.isoformat()})
        assert sent.status_code == 200


def test_stale_values_are_used_and_flagged_where_the_declaration_says_so(served, tmp_path):
    settings = declared(served, tmp_path, "{machine_heat: {when_stale: flag}}")
    with served_toy.running(settings) as client:
        (stale,) = ask(client, {"entity": KEYS, "as_of": STOPPED.isoformat()}).json()["predictions"]
        (fresh,) = ask(client, {"entity": KEYS, "as_of": NOON.isoformat()}).json()["predictions"]
    assert stale["flags"] == {"machine_heat": "stale"}
    assert stale["prediction"] == fresh["prediction"]


def test_a_declared_default_stands_for_stale_and_absent_values(served, tmp_path):
    settings = declared(served, tmp_path, "{machine_heat: {defaults: {celsius: 88.0}}}")
    with served_toy.running(settings) as client:
        (stale,) = ask(client, {"entity": KEYS, "as_of": STOPPED.isoformat()}).json()["predictions"]
        row = {"entity": KEYS, "features": {"celsius": 88.0}, "as_of": STOPPED.isoformat()}
        (sent,) = ask(client, row).json()["predictions"]
    assert stale["prediction"] == sent["prediction"]


def test_absent_values_are_refused_where_the_declaration_says_so(served, tmp_path):
    settings = declared(served, tmp_path, "{machine_heat: {when_absent: refuse}}")
    answer = asked(settings, NOON, entity={**KEYS, "machine": "m99"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "absent_features")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{machine_heet: {when_stale: flag}}", "no view 'machine_heet'; did you mean 'machine_heat'?"),
        ("{machine_heat: {defaults: {celsuis: 1}}}", "no feature 'celsuis'; did you mean 'celsius'?"),
        ("{machine_heat: {defaults: {celsius: hot}}}", "'celsius' has to be a number or null"),
    ],
)
def test_a_declaration_that_does_not_fit_the_views_is_named(served, tmp_path, text, says):
    slots = Champions(declared(served, tmp_path, text))
    slots.look()
    assert slots.slots["toy"].served is None
    assert says in slots.slots["toy"].problem


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{freshness: {machine_heet: {when_stale: flag}}}", "no view 'machine_heet'; did you mean 'machine_heat'?"),
        ("{freshness: {machine_heat: {defaults: {celsius: hot}}}}", "'celsius' has to be a number or null"),
        ("{feedback: failurs}", "serving.feedback: no outcome feed 'failurs'; did you mean 'failures'?"),
    ],
)
def test_the_check_of_a_pipeline_says_the_same_before_anything_is_served(toy_settings, text, says):
    path = toy_settings.pipelines_dir / "toy" / "pipeline.yaml"
    whole = path.read_text()
    path.write_text(f"{whole}serving: {{freshness: {{machine_heat: {{when_stale: refuse}}}}, feedback: failures}}\n")
    declaration.check(toy.toy_pipeline(toy_settings), toy_settings)
    path.write_text(f"{whole}serving: {text}\n")
    with pytest.raises(ConfigError, match=re.escape(says)):
        pipeline_check.check_pipeline("toy", toy_settings)


@pytest.mark.parametrize(
    "text",
    ["{machine_heat: {when_stale: drop}}", "{machine_heat: {max_age_minutes: 0}}", "{machine_heat: {max_age: 3}}"],
)
def test_a_typo_in_the_declaration_is_refused_when_it_is_read(served, tmp_path, text):
    with pytest.raises(ConfigError, match=r"serving\.freshness\.machine_heat"):
        toy.toy_pipeline(declared(served, tmp_path, text))


def test_a_declaration_of_before_means_what_it_meant(served):
    assert toy.toy_pipeline(served).serving == Pipeline.model_fields["serving"].get_default(call_default_factory=True)
