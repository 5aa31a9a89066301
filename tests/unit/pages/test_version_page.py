"""The page of a version is its card as it is now: who decided what, what it rests on, and where it ends."""

import json
import re
from datetime import datetime

import pytest
from tests.support import pages_stand, toy
from tests.support.pages_stand import NASTY

from airloop import reports
from airloop.config.gate_rules import RULE, RuleDeclaration
from airloop.errors import GuardRefused
from airloop.pages import decisions, features, overview, version_page
from airloop.records import Described
from airloop.reports import card, rendering
from airloop.reports.card import limits
from airloop.settings import Settings
from airloop.stores import ledger
from airloop.stores.ledger import promises

MEASURED = {
    "metrics": [{"metric": "brier", "value": 0.18, "lower": 0.17, "upper": 0.19, "confidence": 0.95, "days": 15}],
    "slices": [
        {"slice": f"machine={NASTY}", "rows": 12, "metric": "brier", "value": None, "lower": None, "upper": None}
        | {"label": 0.4, "prediction": 0.5}
    ],
    "calibration": {"error": 0.03, "predicted": [0.1, 0.9], "observed": [0.2, 0.8]},
    "importance": [{"feature": "celsius", "loss": 0.05, "spread": 0.001, "moves": 0.2}],
}


@pytest.fixture
def settings(toy_settings):
    pages_stand.remember(toy_settings)
    window = toy.days(0, 2)
    described = Described("toy", 1, MEASURED, "card.html", "card.json")
    pages_stand.save(toy_settings, "describe", window, described)
    return toy_settings


def show(settings, number=1):
    return version_page.page(pages_stand.site(settings), "toy", number)


def found(settings, number=1):
    return card.content(toy.toy_pipeline(settings), number, settings)


def test_the_card_says_what_was_measured_decided_and_not_asked(settings):
    html = show(settings)
    for said in ("0.1800", "0.1700 to 0.1900", "celsius", "machine=&lt;script&gt;", "1,234, decided", "champion"):
        assert said in html
    assert NASTY not in html
    said = " ".join(found(settings)["limits"])
    assert "judged by floors only: there was no champion" in said
    assert "The gate did not ask: whether a group of rows is worse off" in said
    assert f"Too few rows to say anything: machine={NASTY}" in said


def test_every_rule_that_a_gate_may_have_is_named_where_it_was_not_asked(settings):
    of_other_tasks = {"coverage", "alarm_budget", "stability"}
    assert {*limits.RULES} == {*RULE.names()} - of_other_tasks
    pipeline = toy.toy_pipeline(settings)
    asked = RuleDeclaration.model_validate({"kind": "forgetting"})
    gate = pipeline.gate.model_copy(update={"rules": (asked,)})
    (before, after) = (
        " ".join(card.content(declared, 1, settings)["limits"])
        for declared in (pipeline, pipeline.model_copy(update={"gate": gate}))
    )
    assert limits.RULES["forgetting"] in before
    assert limits.RULES["forgetting"] not in after
    assert limits.RULES["sanity"] in after


def test_a_refused_version_and_one_that_nobody_described_have_a_card_too(settings):
    assert "Nothing is measured yet" not in show(settings, 2)
    refused = found(settings, 2)
    assert (refused["version"]["state"], refused["importance"]) == ("refused", [])
    assert refused["metrics"] == [{"metric": "brier", "value": 0.18}, {"metric": "roc_auc", "value": 0.8}]
    assert [check["passed"] for check in refused["checks"]] == [True, False]


def test_who_let_it_in_and_what_it_gained_stand_beside_the_promise(settings):
    at = toy.days(0, 3).end
    pages_stand.remember_training(settings, 3, cutoff_day=3, champion=1)
    decision = pages_stand.decide(settings, 3, at=at, champion=1)
    said = {"decision_sequence": decision, "version": 3, "who": "anna", "why": "checked by hand", "starter": ""}
    pages_stand.append(settings, "approved", at, said)
    promotion = pages_stand.promote(settings, 3, decision, at=at, previous=1)
    proof = pages_stand.evidence(-0.02).to_json()
    gained = {"promotion": promotion, "version": 3, "previous": 1, "verdict": promises.LOST, "evidence": [proof]}
    gained |= {"why": "a loss: -0.0200", "promised": pages_stand.evidence().to_json(), "days": None}
    pages_stand.append(settings, promises.MEASURED, toy.days(0, 4).end, gained)
    html = show(settings, 3)
    for words in ("anna", "checked by hand", "a loss: -0.0200", "After its promotion"):
        assert words in html
    assert [item["kind"] for item in found(settings, 3)["history"]] == ["decision", "approved", "done", "measured"]
    assert "After its promotion: a loss" in " ".join(found(settings, 3)["limits"])
    assert found(settings, 1)["version"]["state"] == "former champion"
    page = decisions.page(pages_stand.site(settings), "toy")
    assert "1 promotion measured on the first rows after: 1 a loss" in page
    taken = {"version": 1, "previous_version": 3, "why": "probation takes version 3 back", "who": "probation"}
    assert found(settings, 3)["taken_back"] == ""
    pages_stand.append(settings, "rolled_back", toy.days(0, 4).end, {**taken, "takes_back": promotion})
    assert found(settings, 3)["history"][-1]["why"] == found(settings, 3)["taken_back"] == taken["why"]
    assert "It was taken back after its first rows, and is not promoted again" in show(settings, 3)
    assert found(settings, 1)["taken_back"] == ""


def used_by(settings: Settings) -> str:
    """The last cell of the only row of the table of views."""
    html = features.index(pages_stand.site(settings), ["toy"])
    return " ".join(re.sub("<[^>]*>", " ", re.findall(r"<td>(.*?)</td>", html, re.S)[-1]).split())


def _refitted(settings: Settings) -> tuple[datetime, int]:
    """Version 4, the refit of version 3, which passed: the instant and the decision."""
    pages_stand.remember_training(settings, 3, cutoff_day=4, champion=1)
    at = toy.days(0, 4).end
    decision = pages_stand.decide(settings, 3, at=at, champion=1)
    refitted = {
        "version": 4,
        "judged_version": 3,
        "decision_sequence": decision,
        "outcome": "refitted",
        "why": "it agrees",
    }
    pages_stand.append(settings, "refitted", at, refitted)
    return at, decision


def test_the_refit_of_a_version_has_its_card_and_says_so(settings):
    _refitted(settings)
    shown = found(settings, 4)
    assert (shown["version"]["number"], shown["version"]["judged"]) == (4, 3)
    assert "every figure here is of version 3, and nothing judged the refit itself" in " ".join(shown["limits"])


def test_a_version_that_nobody_trained_is_refused(settings):
    with pytest.raises(GuardRefused, match="toy has no version 9 that was trained here"):
        found(settings, 9)


def test_one_click_leads_from_the_overview_and_the_ledger_to_the_card(settings):
    site = pages_stand.site(settings)
    for page in (overview.page(site, "toy"), decisions.page(site, "toy")):
        assert 'href="/airloop/pipelines/toy/versions/1"' in page


def test_the_owner_is_a_link_where_a_channel_is_declared(settings):
    path = settings.pipelines_dir / "toy" / "pipeline.yaml"
    path.write_text(path.read_text() + "channel: https://chat.example.org/ops\n")
    for page in (show(settings), overview.page(pages_stand.site(settings), "toy")):
        assert '<a class="out" href="https://chat.example.org/ops" target="_blank" rel="noopener">tests</a>' in page


def test_the_card_as_a_file_loads_nothing(settings):
    html = card.page(found(settings))
    assert pages_stand.addresses(html) == set()
    assert rendering.metric_title("brier") in html


def test_a_card_changes_nothing(settings):
    before = ledger.head(settings, "toy")
    show(settings)
    assert ledger.head(settings, "toy") == before


def test_the_features_page_names_the_refit_in_force_and_not_the_version_that_was_judged(settings):
    field = {"name": "job_size", "type": "Float64", "description": ""}
    view = {
        "name": "job_static",
        "entities": ["job"],
        "keys": ["job"],
        "owner": "",
        "description": "",
        "tags": {},
        "ttl_seconds": None,
        "source": {"name": "job_static", "path": ""},
        "online_until": None,
        "features": [field],
    }
    known = {"entities": [], "views": [view], "services": []}
    reports.publish(f"{settings.reports_uri}/toy/catalogue.json", json.dumps(known), settings)
    at, decision = _refitted(settings)
    assert used_by(settings) == "v1 champion v3 challenger + 1 version"
    pages_stand.promote(settings, 4, decision, at=at, previous=1)
    assert used_by(settings) == "v4 champion + 2 versions"
