"""Where the policy asks for a person nothing is promoted without one who is entitled, whoever calls promote."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.support import ledger_entries

from airloop.config import load_pipeline
from airloop.config.approval import Approval
from airloop.deployment import Deployment
from airloop.errors import ConfigError, GuardRefused
from airloop.gate import approval, promote
from airloop.records import Check, Evidence, Scored, Window
from airloop.settings import Settings
from airloop.stores import ledger, state
from airloop.stores.mlflow import registry
from airloop_airflow import approval_request

# MLflow 3.17 on SQLAlchemy 2.1; it goes when MLflow stops using `noload`.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:sqlalchemy.exc.SADeprecationWarning")

NAME = "flight_delays"
MARCH, APRIL, MAY = (datetime(2013, month, 1, tzinfo=UTC) for month in (3, 4, 5))
GAIN = Evidence("brier", 0.004, 0.001, 0.007, 0.95, 0.16, 0.156, 9000, 30, 200, 7)


def sliced(observed):
    return (Check("slices", passed=True, observed=observed, says="worst slice m1"),)


def pipeline(**policy):
    declared = load_pipeline(NAME, Settings())
    return declared.model_copy(update={"approval": Approval.model_validate({"when": "always", **policy})})


@pytest.fixture
def settings(registry_settings, monkeypatch):
    """Version 1 is champion from March on, and promotions check no files."""
    monkeypatch.setattr(promote, "check_model", lambda *_, digest, **__: digest)
    ledger_entries.put_in_force(registry_settings, NAME, 1, MARCH)
    registry.set_alias(registry_settings, NAME, "champion", 1)
    return registry_settings


def passed(settings, version=2, **changes):
    values = {"at": APRIL, "champion": 1, "model_name": NAME, "evidence": (GAIN,), "asked_by": "boris", **changes}
    return ledger_entries.record(settings, NAME, ledger_entries.decision(version, **values))


def move(settings, declared, decision):
    window = Window(datetime(2013, 1, 1, tzinfo=UTC), decision.effective_at)
    return promote.promote(Deployment(declared, settings), window, decision=decision)


def answer(settings, declared, decision, kind="approved", *, who="anna", why="checked", **more):
    return approval.answer(declared, settings, decision.sequence, kind=kind, why=why, who=who, **more)


def scored(settings, end):
    record = Scored(Window(end - timedelta(days=28), end), 1, "champion", "live", 1, 1, 1)
    state.save_record(settings, NAME, "score", input_key=str(end), window=record.window, record=record.to_json())


def champion(settings):
    return ledger.require_intact(settings, NAME).champion(), registry.aliases(settings, NAME)["champion"]


def test_promote_refuses_until_a_person_approves_and_the_ledger_says_who_and_why(settings):
    declared, decision = pipeline(), passed(settings)
    with pytest.raises(GuardRefused, match=r"decision 4 on version 2 waits for a person's approval .*airloop approve"):
        move(settings, declared, decision)
    assert champion(settings) == (1, 1)
    entry = answer(settings, declared, decision)
    assert (entry.kind, entry.effective_at, entry.payload["who"], entry.payload["why"]) == (
        *("approved", APRIL),
        *("anna", "checked"),
    )
    assert move(settings, declared, decision).version == 2
    assert champion(settings) == (2, 2)


def test_nobody_is_asked_where_the_policy_asks_nobody(settings):
    assert move(settings, pipeline(when="never"), passed(settings)).version == 2


@pytest.mark.parametrize("when", ["never", "always"])
def test_what_a_person_rejected_is_not_promoted(settings, when):
    declared, decision = pipeline(when=when), passed(settings)
    answer(settings, declared, decision, "rejected", why="not the new terminal")
    with pytest.raises(GuardRefused, match=r"was rejected by anna \(not the new terminal\): train again"):
        move(settings, declared, decision)
    with pytest.raises(GuardRefused, match="boris2 cannot change that"):
        answer(settings, declared, decision, who="boris2")
    assert champion(settings) == (1, 1)


def test_an_approval_is_taken_back_by_a_rejection_until_it_is_promoted(settings):
    declared, decision = pipeline(), passed(settings)
    answer(settings, declared, decision)
    answer(settings, declared, decision, "rejected", who="carla", why="on second thought")
    with pytest.raises(GuardRefused, match="was rejected by carla"):
        move(settings, declared, decision)


def test_the_same_answer_again_adds_nothing_and_none_counts_after_the_promotion(settings):
    declared, decision = pipeline(), passed(settings)
    assert answer(settings, declared, decision) == answer(settings, declared, decision, who="carla")
    move(settings, declared, decision)
    with pytest.raises(GuardRefused, match="decision 4 was promoted already: `airloop rollback` goes back"):
        answer(settings, declared, decision, "rejected")


@pytest.mark.parametrize(
    ("who", "starter", "says"),
    [
        ("boris", "", "boris started this and cannot approve decision 4"),
        ("anna", "anna", "anna started this and cannot approve decision 4"),
        ("dora", "", "dora cannot approve decision 4: approval.by names anna, boris"),
        (None, "", "approved by the deadline, and approval.default is reject"),
        ("deadline", "", "deadline cannot approve decision 4: approval.by names anna, boris"),
    ],
)
def test_who_started_it_and_who_is_not_named_cannot_approve(settings, who, starter, says):
    declared, decision = pipeline(by=["anna", "boris"]), passed(settings)
    with pytest.raises(approval.NotEntitled, match=says):
        answer(settings, declared, decision, who=who, starter=starter)
    assert ledger.history(settings, NAME).answer_to(decision.sequence) is None
    assert answer(settings, declared, decision, "rejected", who="boris").payload["who"] == "boris"


def test_a_person_named_deadline_is_a_person_and_the_deadline_counts_where_it_is_declared(settings):
    declared, decision = pipeline(by=["anna"], default="approve"), passed(settings)
    with pytest.raises(approval.NotEntitled, match=r"deadline cannot approve decision 4: approval\.by names anna"):
        answer(settings, declared, decision, who="deadline")
    anyone = pipeline(default="approve")
    with pytest.raises(approval.NotEntitled, match="deadline started this"):
        answer(settings, anyone, decision, who="deadline", starter="deadline")
    by_nobody = answer(settings, declared, decision, who=None, why="nobody answered within 3 days")
    assert (by_nobody.payload["who"], by_nobody.payload["by_deadline"]) == ("deadline", True)
    move(settings, declared, decision)
    assert champion(settings) == (2, 2)


def test_an_answer_in_the_name_of_the_deadline_is_judged_again_when_it_is_acted_on(settings):
    declared, decision = pipeline(by=["anna"], default="approve"), passed(settings)
    payload = {"decision_sequence": 4, "version": 2, "who": "deadline", "why": "w", "starter": ""}
    ledger.append(settings, NAME, kind="approved", effective_at=APRIL, payload=payload | {"by_deadline": False})
    with pytest.raises(approval.NotEntitled, match="deadline cannot approve"):
        move(settings, declared, decision)


def test_the_deadline_as_an_older_airloop_wrote_it_counts(settings):
    declared, decision = pipeline(by=["anna"], default="approve"), passed(settings)
    payload = {"decision_sequence": 4, "version": 2, "who": "deadline", "why": "w", "starter": ""}
    ledger.append(settings, NAME, kind="approved", effective_at=APRIL, payload=payload)
    move(settings, declared, decision)
    assert champion(settings) == (2, 2)


def test_an_approval_that_was_written_past_the_door_does_not_count(settings):
    declared, decision = pipeline(by=["anna"]), passed(settings)
    payload = {"decision_sequence": 4, "version": 2, "who": "boris", "why": "w", "starter": ""}
    ledger.append(settings, NAME, kind="approved", effective_at=APRIL, payload=payload)
    with pytest.raises(approval.NotEntitled, match="boris started this"):
        move(settings, declared, decision)
    assert champion(settings) == (1, 1)


def test_an_approval_is_void_when_another_champion_is_in_force(settings):
    declared, first, second = pipeline(), passed(settings), passed(settings, 3)
    answer(settings, declared, second)
    with pytest.raises(GuardRefused, match="would be void: version 3 passed later, by decision 5"):
        answer(settings, declared, first)
    move(settings, declared, second)
    with pytest.raises(
        GuardRefused, match="would be void: it was judged against champion 1, and champion 3 is in force"
    ):
        answer(settings, declared, first)


def test_an_approval_is_void_when_its_evidence_is_too_old(settings):
    declared, decision = pipeline(evidence_max_age_days=30), passed(settings)
    scored(settings, APRIL + timedelta(days=30))
    answer(settings, declared, decision)
    scored(settings, APRIL + timedelta(days=31))
    with pytest.raises(GuardRefused, match=r"approval of decision 4 by anna is void: its evidence is of 2013-04-01"):
        move(settings, declared, decision)


def test_a_closed_question_stays_closed_and_an_answer_stays(settings):
    declared, first = pipeline(), passed(settings)
    entry = approval.close(declared, settings, first.sequence, why="version 3 passed later")
    assert approval.close(declared, settings, first.sequence, why="again") == entry
    with pytest.raises(GuardRefused, match=r"was superseded by airloop \(version 3 passed later\)"):
        answer(settings, declared, first)
    second = passed(settings, 3)
    approved = answer(settings, declared, second)
    assert approval.close(declared, settings, second.sequence, why="too late") == approved


@pytest.mark.parametrize(
    ("when", "changes", "asked"),
    [
        (["first_model"], {}, ()),
        (["first_model"], {"champion": None}, ("no champion was compared with",)),
        (["first_model"], {"not_comparable": "it is gone"}, ("no champion was compared with",)),
        ([{"gain_below": 0.004}], {}, ()),
        ([{"gain_below": 0.005}], {}, ("the gain in brier 0.0040 is below 0.005",)),
        ([{"gain_below": 0.005}], {"evidence": ()}, ("the gain in brier is not known",)),
        (
            [{"gain_below": 0.005}],
            {"evidence": (replace(GAIN, gain=float("nan")),)},
            ("the gain in brier is not known",),
        ),
        (["slice_worse"], {"checks": sliced(0.001)}, ()),
        (["slice_worse"], {"checks": sliced(-0.001)}, ("a slice is worse than under the champion (worst slice m1)",)),
        (["slice_worse"], {"checks": sliced(None)}, ("no slice was compared with the champion",)),
        (["slice_worse"], {}, ("no slice was compared with the champion",)),
        ([{"days_since": 30}], {}, ("nobody approved a version for 30 days",)),
    ],
)
def test_the_conditions_say_when_a_person_is_asked(settings, when, changes, asked):
    history = ledger.history(settings, NAME)
    made = ledger_entries.decision(2, **{"at": APRIL, "champion": 1, "evidence": (GAIN,), **changes})
    entry = replace(history.latest("decision"), payload=ledger.payload_of(made))
    assert approval.asked_because(pipeline(when=when), entry, history) == asked


def test_an_approval_counts_for_its_days(settings):
    declared = pipeline(when=[{"days_since": 30}])
    decision = passed(settings)
    answer(settings, declared, decision)
    move(settings, declared, decision)
    assert move(settings, declared, passed(settings, 3, at=APRIL + timedelta(days=29), champion=2)).version == 3
    with pytest.raises(GuardRefused, match="nobody approved a version for 30 days"):
        move(settings, declared, passed(settings, 2, at=APRIL + timedelta(days=30), champion=3))


def test_the_question_shows_the_evidence_and_asks_those_who_may(settings):
    declared, decision = pipeline(by=["anna", "boris", "carla"]), passed(settings)
    request = approval_request.prepare(declared, settings, decision.sequence, starter="carla")
    assert (request.standing, request.respondents) == ("", ("anna",))
    for said in (
        "+0.0040",
        "+0.0010 to +0.0070",
        "Brier 0.1000, must be at most 0.2200",
        "ledger#entry-4",
        "72 hours",
        "Owner: ",
    ):
        assert said in request.body
    answer(settings, declared, decision)
    assert approval_request.prepare(declared, settings, decision.sequence).standing == "approved"


def test_nobody_left_to_ask_is_the_authors_mistake(settings):
    decision = passed(settings)
    with pytest.raises(ConfigError, match="names boris only, who started this: nobody can approve it"):
        approval_request.prepare(pipeline(by=["boris"]), settings, decision.sequence)


def test_what_is_no_decision_that_passed_cannot_be_answered(settings):
    refused = passed(settings, outcome="refused", why="refused: no gain")
    with pytest.raises(GuardRefused, match="decision 4 did not pass its gate: refused: no gain"):
        answer(settings, pipeline(), refused)
    with pytest.raises(GuardRefused, match=r"99 is not a decision of flight_delays \(decisions that passed: 1\)"):
        answer(settings, pipeline(), replace(refused, sequence=99))
    with pytest.raises(ConfigError, match="a reason is required"):
        answer(settings, pipeline(), refused, why=" ")
