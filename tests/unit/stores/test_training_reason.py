"""The reason of a training counts only when the ledger proves it, and one training answers it."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.support import toy
from tests.support.command import Airloop
from tests.support.ledger_entries import decided, decision, put_in_force, record, triaged

from airloop.config import load_pipeline
from airloop.errors import ConfigError, GuardRefused
from airloop.settings import Settings
from airloop.stores import claims, state, tables, training_reason
from airloop.stores.training_reason import AskedAlready, NotAsked

NAME = "flights"
PIPELINE = load_pipeline("flight_delays", Settings()).model_copy(update={"name": NAME})
MARCH, APRIL = datetime(2013, 3, 1, tzinfo=UTC), datetime(2013, 4, 1, tzinfo=UTC)
KEY = "probe:1:2013-04-01T00:00:00Z"


@pytest.fixture
def settings(tmp_path):
    """Champion 1 from March on."""
    settings = Settings(home=tmp_path)
    put_in_force(settings, NAME, 1, MARCH)
    return settings


def asked(settings, *, cutoff=APRIL, reason="probe", reason_key="", version=None):
    return training_reason.asked_for(settings, PIPELINE, cutoff, reason=reason, reason_key=reason_key, version=version)


@pytest.mark.parametrize("reason_key", ["", KEY])
def test_a_probe_counts_for_what_triage_asked_with_its_evidence_from_the_ledger(settings, reason_key):
    entry = triaged(settings, NAME, APRIL, champion=1)
    found = asked(settings, reason_key=reason_key)
    assert (found.reason, found.reason_key, found.sequence) == ("probe", KEY, entry.sequence)
    assert list(found.evidence) == entry.payload["evidence"]


REFUSED = {
    "nobody asked": (lambda s: None, {}, "the ledger has no triage of a window that ends there"),
    "another cutoff": (
        lambda s: triaged(s, NAME, APRIL, champion=1),
        {"cutoff": APRIL + timedelta(days=1)},
        "the ledger has no triage of a window that ends there",
    ),
    "another champion": (
        lambda s: triaged(s, NAME, APRIL, champion=7),
        {},
        r"triage \(ledger entry 4\) is about champion 7",
    ),
    "a new champion since": (
        lambda s: (triaged(s, NAME, APRIL, champion=1), put_in_force(s, NAME, 2, APRIL, previous=1)),
        {},
        r"champion 2: triage \(ledger entry 4\) is about champion 1",
    ),
    "it said nothing": (lambda s: triaged(s, NAME, APRIL, champion=1, kind="nothing"), {}, "says 'nothing'"),
    "it was held since": (
        lambda s: (triaged(s, NAME, APRIL, champion=1), triaged(s, NAME, APRIL, champion=1, kind="held")),
        {},
        "says 'held'",
    ),
    "another key": (
        lambda s: triaged(s, NAME, APRIL, champion=1),
        {"reason_key": "probe:1:2013-03-01T00:00:00Z"},
        f"asked by the key '{KEY}', not",
    ),
    "another trigger asked": (
        lambda s: triaged(s, NAME, APRIL, champion=1, reason="schedule"),
        {},
        r"triage \(ledger entry 4\) asked by reason 'schedule'",
    ),
    "made up": (lambda s: triaged(s, NAME, APRIL, champion=1, on_record=False), {}, "is not what triage has on record"),
    "answered": (
        lambda s: (triaged(s, NAME, APRIL, champion=1), decided(s, NAME, 2, at=APRIL, champion=1, reason_key=KEY)),
        {},
        "was answered by decision 5 on version 2",
    ),
}


@pytest.mark.parametrize(("before", "options", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_a_probe_that_triage_did_not_ask_for_is_refused_with_the_way_out(settings, before, options, says):
    before(settings)
    with pytest.raises(NotAsked, match=rf"reason probe does not count for cutoff .*{says}.*train with reason=hand"):
        asked(settings, **options)
    assert asked(settings, **{**options, "reason": "hand", "reason_key": ""}).reason == "hand"


@pytest.mark.parametrize("reason_key", ["", "growth:1:2013-04-01T00:00:00Z"])
def test_growth_counts_where_triage_asked_by_it_and_nowhere_else(settings, reason_key):
    with pytest.raises(NotAsked, match=r"reason growth does not count .*no triage"):
        asked(settings, reason="growth", reason_key=reason_key)
    entry = triaged(settings, NAME, APRIL, champion=1, reason="growth")
    found = asked(settings, reason="growth", reason_key=reason_key)
    assert (found.reason, found.reason_key, found.sequence) == (
        "growth",
        "growth:1:2013-04-01T00:00:00Z",
        entry.sequence,
    )
    with pytest.raises(NotAsked, match="asked by reason 'growth'"):
        asked(settings)
    with pytest.raises(NotAsked, match="belongs to monitoring"):
        asked(settings, reason="hand", reason_key="growth:1:2013-04-01T00:00:00Z")


def test_the_version_that_the_training_made_does_not_stand_in_its_way(settings):
    triaged(settings, NAME, APRIL, champion=1)
    decided(settings, NAME, 2, at=APRIL, champion=1, reason_key=KEY)
    assert asked(settings, version=2).reason_key == KEY
    put_in_force(settings, NAME, 2, APRIL, previous=1)
    assert asked(settings, version=2).reason_key == KEY
    with pytest.raises(NotAsked, match="is about champion 1"):
        asked(settings, version=3)


def test_a_decision_that_an_obstacle_refused_answers_nothing(settings):
    triaged(settings, NAME, APRIL, champion=1)
    changes = {"outcome": "refused", "reason_key": KEY}
    record(settings, NAME, decision(2, at=APRIL, champion=1, outside_model=True, **changes))
    assert asked(settings).reason_key == KEY
    record(settings, NAME, decision(3, at=APRIL, champion=1, **changes))
    with pytest.raises(NotAsked, match="answered by decision 6 on version 3"):
        asked(settings)


def test_a_reason_nobody_knows_names_the_nearest(settings):
    with pytest.raises(
        ConfigError, match=r"'prob' is not a reason; did you mean 'probe'\? \(reasons: growth, hand, probe, sch"
    ):
        asked(settings, reason="prob")


def test_a_reason_that_the_gate_has_a_rule_for_is_one(settings):
    rule = {"merger": "superior", "default": "superior"}
    compare = PIPELINE.gate.compare.model_copy(update={"rule": rule})
    pipeline = PIPELINE.model_copy(update={"gate": PIPELINE.gate.model_copy(update={"compare": compare})})
    assert training_reason.asked_for(settings, pipeline, APRIL, reason="merger").reason == "merger"
    with pytest.raises(ConfigError, match="'default' is not a reason"):
        training_reason.asked_for(settings, pipeline, APRIL, reason="default")


def test_the_key_of_a_probe_is_not_claimed_under_another_reason(settings):
    with pytest.raises(NotAsked, match="belongs to monitoring: leave it out"):
        asked(settings, reason="hand", reason_key=KEY)
    assert asked(settings, reason="hand", reason_key="again").reason_key == "again"
    assert asked(settings, reason="schedule").reason_key == "schedule:2013-04-01T00:00Z"


def test_nothing_is_asked_of_a_ledger_that_does_not_verify(settings):
    triaged(settings, NAME, APRIL, champion=1)
    with state.transaction(settings) as connection:
        table = tables.ledger_entries
        connection.execute(table.update().where(table.c.kind == "triage").values(effective_at="2013"))
    with pytest.raises(GuardRefused, match="does not verify"):
        asked(settings)


def claim(settings, run, *, over=()):
    training_reason.claim(settings, NAME, asked(settings), run_key=run, is_over=lambda other: other in over)


def test_one_run_answers_a_reason_and_may_claim_it_again(settings):
    triaged(settings, NAME, APRIL, champion=1)
    claim(settings, "first")
    claim(settings, "first")
    with pytest.raises(AskedAlready, match=f"reason '{KEY}' is answered by run 'first'; nothing is trained here"):
        claim(settings, "second")
    assert claims.reason_owner(settings, NAME, KEY) == "first"


def test_a_run_that_died_gives_its_reason_to_the_next(settings):
    triaged(settings, NAME, APRIL, champion=1)
    claim(settings, "died")
    claim(settings, "second", over=("died",))
    assert claims.reason_owner(settings, NAME, KEY) == "second"
    with pytest.raises(AskedAlready, match="by run 'second'"):
        claim(settings, "third", over=("died",))


def test_of_two_that_take_over_one_wins(settings):
    triaged(settings, NAME, APRIL, champion=1)
    claim(settings, "died")
    take = {"reason_key": KEY, "from_run": "died"}
    assert claims.take_over_reason(settings, NAME, **take, run_key="second")
    assert not claims.take_over_reason(settings, NAME, **take, run_key="third")


def test_a_run_that_decided_keeps_its_reason_when_it_is_over(settings):
    found = training_reason.TrainingRequest("hand", "march again")
    training_reason.claim(settings, NAME, found, run_key="first", is_over=lambda _: True)
    decided(settings, NAME, 2, at=APRIL, champion=1, reason_key="march again")
    with pytest.raises(AskedAlready):
        training_reason.claim(settings, NAME, found, run_key="second", is_over=lambda _: True)


@pytest.fixture
def championed(toy_settings: Settings) -> Settings:
    put_in_force(toy_settings, "toy", 1, toy.days(0, 30).end)
    return toy_settings


def snapshot(airloop: Airloop, *options: str, day: int = 40):
    end = toy.text(toy.days(0, day).end)
    return airloop("run", "snapshot", "toy", "--end", end, *(word for item in options for word in ("--option", item)))


def test_the_command_refuses_a_probe_before_it_reads_a_row(airloop: Airloop, championed: Settings) -> None:
    refused = snapshot(airloop, "reason=probe")
    assert refused.code == 1
    assert "the ledger has no triage of a window that ends there; a person may train with reason=hand" in refused.err
    forged = snapshot(airloop, "reason=probe", "reason_key=probe:1:2020-02-10T00:00:00Z")
    assert "the ledger has no triage of a window that ends there" in forged.err
    triaged(championed, "toy", toy.days(0, 40).end, champion=1)
    assert "features are not built and validated" in snapshot(airloop, "reason=probe").err
    assert "the ledger has no triage" in snapshot(airloop, "reason=probe", day=41).err


def test_the_command_hands_over_no_evidence(airloop: Airloop, championed: Settings) -> None:
    assert "unexpected keyword argument 'evidence'" in snapshot(airloop, "reason=probe", "evidence=[]").err
