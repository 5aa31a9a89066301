"""decide: a judgement is put on record once, tags its version, and makes a version that passed the challenger."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.support import ledger_entries
from tests.support.gate_cases import CUTOFF, GATE, WINDOW, evaluated, evidence

from airloop.config import load_pipeline
from airloop.deployment import Deployment
from airloop.errors import GuardRefused
from airloop.gate.decide import decide
from airloop.models import looks
from airloop.records import Decision, Window
from airloop.settings import Settings
from airloop.stores import ledger, state
from airloop.stores.mlflow import registry, tracking

# MLflow 3.17 on SQLAlchemy 2.1; it goes when MLflow stops using `noload`.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:sqlalchemy.exc.SADeprecationWarning")


NAME = "flight_delays"


@pytest.fixture
def settings(registry_settings):
    """Champion 1 is in force; entries 1 to 3 are its promotion."""
    ledger_entries.put_in_force(registry_settings, NAME, 1, WINDOW.start + timedelta(days=30))
    return registry_settings


@pytest.fixture
def pipeline():
    return load_pipeline(NAME, Settings()).model_copy(update={"gate": GATE})


def recorded(settings, made):
    """The evaluation on record, as its stage leaves it."""
    record = made.to_json()
    key = hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()
    state.save_record(settings, NAME, "evaluate", input_key=key, window=WINDOW, record=record)
    return {"evaluated": made}


def decided(settings, pipeline, **changes):
    made = evaluated(**changes)
    seen = looks.earlier_looks(ledger.history(settings, NAME), pipeline, made.holdout, version=made.version)
    paid = tuple(replace(item, confidence=looks.paid_confidence(0.95, seen)) for item in made.evidence)
    return decide(
        Deployment(pipeline, settings), WINDOW, **recorded(settings, replace(made, looks=seen, evidence=paid))
    )


def decisions(settings):
    return [entry for entry in ledger.entries(settings, NAME, kind="decision") if entry.payload["version"] != 1]


def test_a_passed_decision_is_recorded_tagged_and_becomes_the_challenger(settings, pipeline):
    decision = decided(settings, pipeline)
    (entry,) = decisions(settings)
    assert (decision.sequence, entry.kind, entry.effective_at) == (4, "decision", CUTOFF)
    assert replace(Decision.from_json(entry.payload), sequence=4) == decision
    tags = tracking.client(settings).get_model_version(NAME, "2").tags
    assert tags["airloop.decision"] == "passed"
    assert tags["airloop.decision_why"] == decision.why
    assert (tags["airloop.decision_sequence"], tags["airloop.decision_hash"]) == ("4", entry.hash)
    assert json.loads(tags["airloop.evidence"])[0]["gain"] == 0.01
    assert registry.aliases(settings, NAME) == {"challenger": 2}


def test_a_refused_decision_is_recorded_and_moves_no_alias(settings, pipeline):
    decision = decided(settings, pipeline, metrics={"roc_auc": float("nan")})
    assert not decision.passed
    assert decisions(settings)[0].payload["why"] == decision.why
    assert tracking.client(settings).get_model_version(NAME, "2").tags["airloop.decision"] == "refused"
    assert registry.aliases(settings, NAME) == {}


def test_the_same_judgement_twice_is_one_entry(settings, pipeline):
    first = decided(settings, pipeline)
    assert decided(settings, pipeline) == first
    assert len(decisions(settings)) == 1


def test_a_stricter_judgement_of_the_same_version_is_a_new_entry_and_ends_its_challenge(settings, pipeline):
    decided(settings, pipeline)
    again = decided(settings, pipeline, problems=("the features changed",))
    assert again.sequence == 5
    assert registry.aliases(settings, NAME) == {}


def test_a_repeated_older_decision_does_not_take_the_alias_back(settings, pipeline):
    decided(settings, pipeline)
    decided(settings, pipeline, version=3, reason_key="other")
    decided(settings, pipeline)
    assert registry.aliases(settings, NAME) == {"challenger": 3}


def test_a_repeated_decision_does_not_make_the_champion_a_challenger(settings, pipeline):
    decided(settings, pipeline)
    registry.delete_alias(settings, NAME, "challenger")
    ledger_entries.put_in_force(settings, NAME, 2, CUTOFF, previous=1)
    decided(settings, pipeline)
    assert registry.aliases(settings, NAME) == {}


def test_long_texts_fit_into_tags(settings, pipeline):
    decided(settings, pipeline, problems=("x" * 9000,), evidence=tuple(evidence(seed=seed) for seed in range(50)))
    tags = tracking.client(settings).get_model_version(NAME, "2").tags
    assert len(tags["airloop.decision_why"]) == 5000
    assert 0 < len(json.loads(tags["airloop.evidence"])) < 50


def test_a_killed_decision_is_completed_by_a_rerun(settings, pipeline, monkeypatch):
    monkeypatch.setattr(registry, "tag_version", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        decided(settings, pipeline)
    monkeypatch.undo()
    assert decided(settings, pipeline).sequence == 4
    assert registry.aliases(settings, NAME) == {"challenger": 2}


@pytest.mark.parametrize(
    ("forged", "says"),
    [
        ({"metrics": {"roc_auc": 0.99, "brier": 0.01}}, "evaluate has no record of this evaluation of version 2"),
        ({"champion_version": None, "evidence": ()}, "evaluate has no record of this evaluation of version 2"),
        ({"reason": "probe", "reason_key": f"probe:1:{CUTOFF:%Y-%m-%d}"}, "evaluate has no record of this evaluation"),
    ],
)
def test_an_evaluation_that_evaluate_did_not_make_is_not_judged(settings, pipeline, forged, says):
    recorded(settings, evaluated())
    with pytest.raises(GuardRefused, match=says):
        decide(Deployment(pipeline, settings), WINDOW, evaluated=evaluated(**forged))
    assert decisions(settings) == []


def test_an_evaluation_against_a_former_champion_is_made_again_and_nothing_is_recorded(settings, pipeline):
    ledger_entries.put_in_force(settings, NAME, 3, WINDOW.start + timedelta(days=40), previous=1)
    with pytest.raises(GuardRefused, match=r"was evaluated against champion 1, and 3 is in force .* run evaluate"):
        decided(settings, pipeline)
    assert decisions(settings)[1:] == []


WEAK = {"evidence": (evidence(lower=-0.0079),), "reason": "probe"}
KEY = f"probe:1:{WINDOW.to_json()['end']}"


def test_the_milder_rule_is_chosen_by_what_the_ledger_says(settings, pipeline):
    ledger_entries.triaged(settings, NAME, CUTOFF, champion=1)
    decision = decided(settings, pipeline, **WEAK, reason_key=KEY)
    assert decision.passed
    assert decision.why.endswith("must be above -0.0080, and the gain above 0")
    assert decided(settings, pipeline, **WEAK, reason_key=KEY) == decision


@pytest.mark.parametrize(
    ("before", "key", "says"),
    [
        (lambda s: None, KEY, "the ledger has no triage"),
        (lambda s: ledger_entries.triaged(s, NAME, CUTOFF, champion=1), "probe:1:2013-03", "asked by the key"),
        (lambda s: ledger_entries.triaged(s, NAME, CUTOFF, champion=3), KEY, "is about champion 3"),
        (lambda s: ledger_entries.triaged(s, NAME, CUTOFF, champion=1, kind="nothing"), KEY, "says 'nothing'"),
        (lambda s: ledger_entries.triaged(s, NAME, CUTOFF, champion=1, on_record=False), KEY, "not what triage has"),
        (
            lambda s: (
                ledger_entries.triaged(s, NAME, CUTOFF, champion=1),
                ledger_entries.decided(s, NAME, 3, at=CUTOFF, champion=1, reason_key=KEY),
            ),
            KEY,
            "was answered by decision 5 on version 3",
        ),
    ],
)
def test_a_probe_that_the_ledger_does_not_know_refuses(settings, pipeline, before, key, says):
    before(settings)
    decision = decided(settings, pipeline, **WEAK, reason_key=key)
    assert not decision.passed
    assert decision.why.startswith("refused: reason probe does not count for cutoff 2013-04-01T00:00Z and champion 1")
    assert says in decision.why
    assert "a person may train with reason=hand" in decision.why


def test_every_look_at_a_holdout_is_counted_and_said(settings, pipeline):
    assert decided(settings, pipeline).looks == 0
    second = decided(settings, pipeline, version=3, reason_key="again")
    assert (second.looks, second.why.partition("; ")[2]) == (1, "1 earlier decision looked at rows of this holdout")
    third = decided(settings, pipeline, version=3, reason_key="again", problems=("the features changed",))
    assert (third.looks, third.why.partition("; ")[2]) == (1, "1 earlier decision looked at rows of this holdout")
    assert decided(settings, pipeline, version=3, reason_key="again", problems=("the features changed",)) == third
    assert decided(settings, pipeline).looks == 0


def test_an_evaluation_from_before_another_look_is_made_again_and_nothing_is_recorded(settings, pipeline):
    decided(settings, pipeline)
    made = recorded(settings, evaluated(version=3, reason_key="again"))
    with pytest.raises(
        GuardRefused, match=r"version 3 was evaluated after 0 looks at its holdout, and 1 decisions.*again"
    ):
        decide(Deployment(pipeline, settings), WINDOW, **made)
    assert len(decisions(settings)) == 1


def test_a_decision_that_had_no_attempt_left_is_no_look(settings, pipeline):
    limited = pipeline.model_copy(update={"gate": GATE.model_copy(update={"max_attempts": 1})})
    decided(settings, limited)
    refused = decided(settings, limited, version=3, reason_key="again")
    assert refused.why.startswith("refused: 1 of 1 attempts were made on rows of this holdout")
    history = ledger.history(settings, NAME)
    assert looks.earlier_looks(history, limited, refused.holdout, version=4) == 1


def test_whether_the_window_that_asked_shares_rows_with_the_holdout_is_on_record(settings, pipeline):
    assert decided(settings, pipeline).trigger_overlaps is None
    ledger_entries.triaged(settings, NAME, CUTOFF, champion=1)
    probed = {"version": 3, "reason": "probe", "reason_key": "probe:1:2013-04-01T00:00:00Z"}
    assert decided(settings, pipeline, **probed).trigger_overlaps is True
    older = Window(datetime(2013, 2, 1, tzinfo=UTC), datetime(2013, 3, 1, tzinfo=UTC))
    assert decided(settings, pipeline, **probed | {"version": 2}, holdout=older).trigger_overlaps is False


def test_later_holdouts_cost_nothing(settings, pipeline):
    decided(settings, pipeline)
    later = evaluated().holdout
    later = Window(later.end, later.end + timedelta(days=7))
    assert decided(settings, pipeline, version=2, holdout=later, reason_key="later").looks == 0


def test_looks_of_decisions_from_before_holdouts_were_recorded_follow_from_their_cutoff(settings, pipeline):
    at = CUTOFF - timedelta(days=2)
    ledger_entries.decided(settings, NAME, 3, at=at, champion=1)
    assert decided(settings, pipeline).looks == 1
