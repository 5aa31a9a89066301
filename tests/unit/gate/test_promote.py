"""Promotion acts on a recorded decision that passed, and on nothing else; a kill anywhere is repaired."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from tests.support import ledger_entries

from airloop.config import load_pipeline
from airloop.deployment import Deployment
from airloop.errors import GuardRefused
from airloop.gate import promote, reconcile
from airloop.records import Check, Promoted, Window
from airloop.settings import Settings
from airloop.stores import ledger, state, tables
from airloop.stores.ledger import chain
from airloop.stores.mlflow import registry

# MLflow 3.17 on SQLAlchemy 2.1; it goes when MLflow stops using `noload`.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:sqlalchemy.exc.SADeprecationWarning")

NAME = "flight_delays"
MARCH, APRIL, MAY = (datetime(2013, month, 1, tzinfo=UTC) for month in (3, 4, 5))
WINDOW = Window(datetime(2013, 1, 1, tzinfo=UTC), MARCH)
PIPELINE = load_pipeline(NAME, Settings())


@pytest.fixture
def settings(registry_settings):
    return registry_settings


@pytest.fixture
def checked(monkeypatch):
    """Versions that were checked; each predicts."""
    versions = []

    def check(_settings, _name, version, *, digest, reviewed):
        versions.append(version)
        return digest

    monkeypatch.setattr(promote, "check_model", check)
    return versions


def decision(version=1, *, champion=None, at=MARCH, outcome="passed", why="passed: it gains"):
    checks = (Check("floor roc_auc", outcome == "passed", 0.7, "ROC-AUC"),)
    changes = {"outcome": outcome, "why": why, "checks": checks, "model_name": NAME, "reason": "schedule"}
    return ledger_entries.decision(version, at=at, champion=champion, **changes)


def recorded(settings, made):
    return ledger_entries.record(settings, NAME, made)


def run(settings, made):
    return promote.promote(Deployment(PIPELINE, settings), WINDOW, decision=made)


def kinds(settings):
    return [entry.kind for entry in ledger.entries(settings, NAME)]


def test_a_passed_decision_moves_the_alias_between_intended_and_done(settings, checked):
    registry.set_alias(settings, NAME, "challenger", 1)
    made = recorded(settings, decision())
    promoted = run(settings, made)
    assert promoted == Promoted(NAME, 1, None, decision_sequence=1, sequence=3, effective_at=MARCH)
    assert kinds(settings) == ["decision", "intended", "done"]
    assert registry.aliases(settings, NAME) == {"champion": 1}
    assert ledger.champion_at(settings, NAME, MARCH) == 1
    assert checked == [1]


def test_the_second_call_returns_the_same_record_and_changes_nothing(settings, checked):
    made = recorded(settings, decision())
    first = run(settings, made)
    assert run(settings, made) == first
    assert len(kinds(settings)) == 3
    assert checked == [1]


def test_repeating_an_old_promotion_leaves_the_newer_champion_alone(settings, checked):
    old = recorded(settings, decision())
    first = run(settings, old)
    second = run(settings, recorded(settings, decision(2, champion=1, at=APRIL)))
    assert (second.previous_version, second.effective_at) == (1, APRIL)
    assert run(settings, old) == first
    assert registry.aliases(settings, NAME) == {"champion": 2}


def test_a_refused_decision_is_not_promoted(settings, checked):
    made = recorded(settings, decision(outcome="refused", why="refused: ROC-AUC 0.5"))
    with pytest.raises(GuardRefused, match=r"was not passed by the gate: refused: ROC-AUC 0\.5"):
        run(settings, made)


@pytest.mark.parametrize(
    "forge",
    [
        lambda made: decision(3),
        lambda made: replace(decision(3), sequence=1),
        lambda made: made,
        lambda made: replace(made, sequence=None),
        lambda made: replace(made, effective_at=MAY),
    ],
)
def test_an_invented_decision_is_not_promoted(settings, checked, forge):
    made = recorded(settings, decision(outcome="refused"))
    with pytest.raises(GuardRefused, match=r"holds no such decision"):
        run(settings, replace(forge(made), outcome="passed"))
    assert registry.aliases(settings, NAME) == {}
    assert kinds(settings) == ["decision"]


def test_a_decision_that_was_judged_again_is_not_promoted(settings, checked):
    made = recorded(settings, decision())
    recorded(settings, decision(outcome="refused", why="refused: the features changed"))
    with pytest.raises(GuardRefused, match=r"version 1 was judged again: refused: the features changed"):
        run(settings, made)


def test_nothing_is_promoted_on_a_ledger_that_was_edited(settings, checked):
    recorded(settings, decision(outcome="refused"))
    forged = decision()
    with state.transaction(settings) as connection:
        table = tables.ledger_entries
        text = chain.canonical(ledger.payload_of(forged))
        connection.execute(sa.update(table).where(table.c.sequence == 1).values(payload=text))
    with pytest.raises(GuardRefused, match=r"does not verify: entry 1"):
        run(settings, replace(forged, sequence=1))


def test_a_decision_against_a_former_champion_is_not_promoted(settings, checked):
    first, rival = recorded(settings, decision()), recorded(settings, decision(2))
    run(settings, first)
    with pytest.raises(GuardRefused, match="judged against no champion, but champion 1 is in force meanwhile"):
        run(settings, rival)
    assert registry.aliases(settings, NAME) == {"champion": 1}


def test_history_is_not_rewritten_by_an_older_decision(settings, checked):
    run(settings, recorded(settings, decision(at=MAY)))
    with pytest.raises(GuardRefused, match="in force from 2013-05-01 on, later than this decision's 2013-04-01"):
        run(settings, recorded(settings, decision(2, champion=1, at=APRIL)))
    assert run(settings, recorded(settings, decision(3, champion=1, at=MAY))).version == 3


def test_the_digest_of_the_files_that_were_checked_is_in_the_ledger(settings, checked):
    made = dataclasses.replace(decision(), model_digest="a" * 64)
    assert run(settings, recorded(settings, made)).model_digest == "a" * 64
    last = ledger.entries(settings, NAME)[-1]
    assert (last.kind, last.payload["model_digest"]) == ("done", "a" * 64)


def test_a_decision_that_an_older_airloop_recorded_is_promoted(settings, checked):
    old = ledger.payload_of(decision())
    for name in ("model_digest", "not_comparable"):
        del old[name]
    at = decision().effective_at
    entry = ledger.append(settings, NAME, kind="decision", effective_at=at, payload=old)
    ledger_entries.save(settings, NAME, "decide", at, old | {"sequence": entry.sequence})
    assert run(settings, dataclasses.replace(decision(), sequence=entry.sequence)).version == 1


def test_a_model_that_does_not_predict_leaves_no_trace(settings, monkeypatch):
    def fails(*_, **__):
        raise GuardRefused("does not predict")

    monkeypatch.setattr(promote, "check_model", fails)
    with pytest.raises(GuardRefused, match="does not predict"):
        run(settings, recorded(settings, decision()))
    assert kinds(settings) == ["decision"]
    assert registry.aliases(settings, NAME) == {}


def test_of_two_simultaneous_promotions_one_wins(settings, checked):
    made = [recorded(settings, decision(version)) for version in (1, 2, 3)]

    def attempt(one):
        try:
            return run(settings, one).version
        except GuardRefused:
            return None

    with ThreadPoolExecutor(3) as pool:
        winners = [version for version in pool.map(attempt, made) if version]
    assert len(winners) == 1
    assert kinds(settings) == ["decision"] * 3 + ["intended", "done"]
    assert registry.aliases(settings, NAME) == {"champion": winners[0]}


def kill_before_alias(monkeypatch):
    monkeypatch.setattr(registry, "set_alias", lambda *_: 1 / 0)


def kill_after_alias(monkeypatch):
    monkeypatch.setattr(registry, "aliases", lambda *_: 1 / 0)


def kill_before_done(monkeypatch):
    honest = chain.append
    monkeypatch.setattr(chain, "append", lambda *a, kind, **k: 1 / (kind != "done") and honest(*a, kind=kind, **k))


def kill_after_done(monkeypatch):
    monkeypatch.setattr(registry.logger, "info", lambda *_: 1 / 0)


@pytest.mark.parametrize("kill", [kill_before_alias, kill_after_alias, kill_before_done, kill_after_done])
@pytest.mark.parametrize("repair", ["rerun", "reconcile"])
def test_a_kill_between_any_two_steps_is_completed(settings, checked, monkeypatch, kill, repair):
    registry.set_alias(settings, NAME, "challenger", 1)
    made = recorded(settings, decision())
    with monkeypatch.context() as patch:
        kill(patch)
        with pytest.raises(ZeroDivisionError):
            run(settings, made)
    if repair == "reconcile":
        reconcile.reconcile(NAME, settings)
    assert run(settings, made) == Promoted(NAME, 1, None, decision_sequence=1, sequence=3, effective_at=MARCH)
    assert kinds(settings) == ["decision", "intended", "done"]
    assert registry.aliases(settings, NAME) == {"champion": 1}
    assert checked == [1]


def test_an_unfinished_promotion_blocks_the_next_one(settings, checked, monkeypatch):
    first, rival = recorded(settings, decision()), recorded(settings, decision(2))
    with monkeypatch.context() as patch:
        kill_before_alias(patch)
        with pytest.raises(ZeroDivisionError):
            run(settings, first)
    with pytest.raises(
        GuardRefused, match="promotion of version 1 is unfinished: run `airloop ledger reconcile flight_delays` first"
    ):
        run(settings, rival)


def test_a_decision_that_mlflows_version_does_not_name_is_not_acted_on(settings, checked):
    refused = ledger.entries(
        settings, NAME, until=recorded(settings, decision(outcome="refused", why="refused: no gain")).sequence
    )[-1]
    registry.tag_version(
        settings,
        NAME,
        1,
        {registry.DECISION_SEQUENCE: str(refused.sequence), registry.DECISION_HASH: refused.hash},
    )
    written_by_hand = recorded(settings, decision())
    with pytest.raises(GuardRefused, match="was decided last by entry 1, not by entry 2: run decide"):
        run(settings, written_by_hand)
    assert kinds(settings) == ["decision", "decision"]
    made = ledger.entries(settings, NAME)[-1]
    named = {registry.DECISION_SEQUENCE: str(made.sequence), registry.DECISION_HASH: made.hash}
    registry.tag_version(settings, NAME, 1, named)
    assert run(settings, written_by_hand).version == 1
