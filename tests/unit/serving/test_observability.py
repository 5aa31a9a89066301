"""The dashboard and the alert rules ask for what the service says of itself, by the names and labels it uses."""

import json
import re

import pytest
import yaml
from tests.conftest import REPOSITORY
from tests.support.served_toy import EXPLICIT, NOON, ask

FOLDER = REPOSITORY / "docs/observability"
SERIES = re.compile(r"(?P<name>airloop_\w+)(?:\{(?P<labels>[^}]*)\})?")
BY = re.compile(r"\b(?:by|on) \((?P<labels>[^)]*)\)")


def expressions():
    dashboard = json.loads((FOLDER / "grafana_serving.json").read_text())
    rules = yaml.safe_load((FOLDER / "prometheus_serving.yml").read_text())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    asked += [variable["query"] for variable in dashboard["templating"]["list"] if variable["type"] == "query"]
    return [*asked, *(rule["expr"] for group in rules["groups"] for rule in group["rules"])]


@pytest.fixture(scope="module")
def reported(client):
    """Metric -> labels, of a service that has answered, refused, and found a stale and an absent view."""
    entity = {"job": "nobody", "machine": "m1"}
    late = NOON.replace(year=NOON.year + 1).isoformat()
    for body in ({"features": EXPLICIT}, {"entity": entity, "as_of": late}, {"features": {"celsius": "hot"}}):
        ask(client, body)
    found = {}
    for line in client.get("/metrics").text.splitlines():
        if not line.startswith("#"):
            name, _, labels = line.partition("{")
            found.setdefault(name, set()).update(re.findall(r'(\w+)="', labels))
    return found


def test_every_series_asked_for_is_one_that_the_service_reports_with_these_labels(reported):
    asked = set()
    for expression in expressions():
        of_expression = set()
        for found in SERIES.finditer(expression):
            assert found["name"] in reported, expression
            asked.add(found["name"])
            of_expression |= reported[found["name"]]
            assert set(re.findall(r"(\w+)=", found["labels"] or "")) <= reported[found["name"]], expression
        for found in BY.finditer(expression):
            assert set(re.split(r",\s*", found["labels"])) <= of_expression | {"le"}, expression
    assert set(reported) == asked


def test_every_alert_says_what_it_means_and_what_to_do():
    rules = yaml.safe_load((FOLDER / "prometheus_serving.yml").read_text())["groups"][0]["rules"]
    for rule in rules:
        assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
        assert set(rule["annotations"]) == {"summary", "action"}
