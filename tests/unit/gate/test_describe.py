"""describe: the card of a version lies in the reports and in MLflow, and says what was measured."""

import json
from pathlib import Path

import pytest
from tests.support import toy
from tests.support.toy_turned import CUTOFF, OLD

from airloop.gate import card_files
from airloop.records import Described
from airloop.stores import ledger
from airloop.stores.mlflow import tracking

# MLflow 3.17 on SQLAlchemy 2.1; it goes when MLflow stops using `noload`.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:sqlalchemy.exc.SADeprecationWarning")


@pytest.fixture
def described(turned_ledger):
    return toy.run("describe", turned_ledger, CUTOFF)


def test_the_card_is_measured_on_rows_the_version_has_not_learned_from(turned_ledger, described):
    measured = described.measured
    assert {item["metric"] for item in measured["metrics"]} == {"brier", "roc_auc"}
    assert all(item["lower"] < item["value"] < item["upper"] for item in measured["metrics"])
    assert [item["slice"] for item in measured["slices"]] == [f"machine_code=m{number}" for number in range(5)]
    assert sum(item["rows"] for item in measured["slices"]) == 15 * toy.ROWS_A_DAY
    # Heat and size decide whether a job fails, the machine does not.
    assert {item["feature"] for item in measured["importance"][:2]} == {"celsius", "job_size"}
    assert 0 < measured["calibration"]["error"] < 0.2
    assert Described.from_json(described.to_json()) == described


def test_it_lies_in_the_reports_and_in_the_run_of_its_training(turned_ledger, described):
    card = json.loads(Path(described.json_uri).read_text())
    assert (card["version"]["number"], card["pipeline"]["owner"]) == (2, "tests")
    assert card["importance"] == described.measured["importance"]
    page = Path(described.card_uri).read_text()
    assert "What its predictions rest on" in page
    assert card["served_by"] == {"form": "linear", "why": ""}
    assert "a form of its own (linear)" in page
    artifacts = tracking.client(turned_ledger).list_artifacts(card["version"]["run_id"], "card")
    assert sorted(item.path for item in artifacts) == ["card/card.html", "card/card.json"]


def test_the_same_again_measures_the_same_and_decides_nothing(turned_ledger, described):
    before = ledger.head(turned_ledger, "toy")
    assert toy.run("describe", turned_ledger, CUTOFF) == described
    pipeline = toy.toy_pipeline(turned_ledger)
    html, text = card_files.publish(pipeline, 2, turned_ledger)
    assert (html, text) == (described.card_uri, described.json_uri)
    assert json.loads(Path(text).read_text())["importance"] == described.measured["importance"]
    assert ledger.head(turned_ledger, "toy") == before


def test_a_first_model_has_a_card_too(turned_ledger):
    toy.run("describe", turned_ledger, toy.days(0, OLD))
    card = json.loads(Path(f"{turned_ledger.reports_uri}/toy/cards/v1.json").read_text())
    assert card["version"]["state"] == "champion"
    assert "It was judged by floors only: there was no champion to compare it with." in card["limits"]
