"""decide: a judgement is put on record once, tags its version, and makes a version that passed the challenger."""

import json
from dataclasses import replace

import ledger_entries
import pytest
from gate_cases import CUTOFF, GATE, WINDOW, evaluated, evidence

from airloop import ledger, registry, tracking
from airloop.config import load_pipeline
from airloop.decide import decide
from airloop.records import Decision
from airloop.settings import Settings

# MLflow 3.17 on SQLAlchemy 2.1; it goes when MLflow stops using `noload`.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:sqlalchemy.exc.SADeprecationWarning")


@pytest.fixture
def settings(registry_settings):
    return registry_settings


@pytest.fixture
def pipeline():
    return load_pipeline("flight_delays", Settings()).model_copy(update={"gate": GATE})


def test_a_passed_decision_is_recorded_tagged_and_becomes_the_challenger(settings, pipeline):
    decision = decide(pipeline, WINDOW, {"evaluate": evaluated()}, settings)
    entry = ledger.entries(settings, "flight_delays")[0]
    assert (decision.sequence, entry.kind, entry.effective_at) == (1, "decision", CUTOFF)
    assert replace(Decision.from_json(entry.payload), sequence=1) == decision
    tags = tracking.client(settings).get_model_version("flight_delays", "2").tags
    assert tags["airloop.decision"] == "passed"
    assert tags["airloop.decision_why"] == decision.why
    assert tags["airloop.decision_sequence"] == "1"
    assert json.loads(tags["airloop.evidence"])[0]["gain"] == 0.01
    assert registry.aliases(settings, "flight_delays") == {"challenger": 2}


def test_a_refused_decision_is_recorded_and_moves_no_alias(settings, pipeline):
    decision = decide(pipeline, WINDOW, {"evaluate": evaluated(metrics={"roc_auc": float("nan")})}, settings)
    assert not decision.passed
    assert ledger.entries(settings, "flight_delays")[0].payload["why"] == decision.why
    assert tracking.client(settings).get_model_version("flight_delays", "2").tags["airloop.decision"] == "refused"
    assert registry.aliases(settings, "flight_delays") == {}


def test_the_same_judgement_twice_is_one_entry(settings, pipeline):
    first = decide(pipeline, WINDOW, {"evaluate": evaluated()}, settings)
    assert decide(pipeline, WINDOW, {"evaluate": evaluated()}, settings) == first
    assert ledger.head(settings, "flight_delays") == 1


def test_a_stricter_judgement_of_the_same_version_is_a_new_entry_and_ends_its_challenge(settings, pipeline):
    decide(pipeline, WINDOW, {"evaluate": evaluated()}, settings)
    again = decide(pipeline, WINDOW, {"evaluate": evaluated(problems=("the features changed",))}, settings)
    assert again.sequence == 2
    assert registry.aliases(settings, "flight_delays") == {}


def test_a_repeated_older_decision_does_not_take_the_alias_back(settings, pipeline):
    decide(pipeline, WINDOW, {"evaluate": evaluated()}, settings)
    decide(pipeline, WINDOW, {"evaluate": evaluated(version=3, reason_key="other")}, settings)
    decide(pipeline, WINDOW, {"evaluate": evaluated()}, settings)
    assert registry.aliases(settings, "flight_delays") == {"challenger": 3}


def test_a_repeated_decision_does_not_make_the_champion_a_challenger(settings, pipeline):
    decide(pipeline, WINDOW, {"evaluate": evaluated()}, settings)
    registry.delete_alias(settings, "flight_delays", "challenger")
    ledger_entries.put_in_force(settings, "flight_delays", 2, CUTOFF)
    decide(pipeline, WINDOW, {"evaluate": evaluated()}, settings)
    assert registry.aliases(settings, "flight_delays") == {}


def test_long_texts_fit_into_tags(settings, pipeline):
    long = evaluated(problems=("x" * 9000,), evidence=tuple(evidence(seed=seed) for seed in range(50)))
    decide(pipeline, WINDOW, {"evaluate": long}, settings)
    tags = tracking.client(settings).get_model_version("flight_delays", "2").tags
    assert len(tags["airloop.decision_why"]) == 5000
    assert 0 < len(json.loads(tags["airloop.evidence"])) < 50


def test_a_killed_decision_is_completed_by_a_rerun(settings, pipeline, monkeypatch):
    monkeypatch.setattr(registry, "tag_version", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        decide(pipeline, WINDOW, {"evaluate": evaluated()}, settings)
    monkeypatch.undo()
    assert decide(pipeline, WINDOW, {"evaluate": evaluated()}, settings).sequence == 1
    assert registry.aliases(settings, "flight_delays") == {"challenger": 2}
