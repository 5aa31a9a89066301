"""The ledger is the authority: whatever happened to the alias, reconcile makes it what the ledger says."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from tests.support.ledger_entries import begin, decided, put_in_force

from airloop.errors import GuardRefused, UpstreamUnavailable
from airloop.gate.reconcile import reconcile
from airloop.stores import ledger, state, tables
from airloop.stores.mlflow import registry

# MLflow 3.17 on SQLAlchemy 2.1; it goes when MLflow stops using `noload`.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:sqlalchemy.exc.SADeprecationWarning")

NAME = "flight_delays"
MARCH, APRIL = (datetime(2013, month, 1, tzinfo=UTC) for month in (3, 4))


@pytest.fixture
def settings(registry_settings):
    return registry_settings


def promoted(settings, *versions):
    """Each version promoted in turn; the alias is left as it is."""
    for version in versions:
        put_in_force(settings, NAME, version, MARCH)


def champion(settings):
    return registry.aliases(settings, NAME).get("champion")


def test_agreement_needs_no_repair(settings):
    promoted(settings, 1)
    registry.set_alias(settings, NAME, "champion", 1)
    assert reconcile(NAME, settings) == []
    assert ledger.head(settings, NAME) == 3


def test_a_pipeline_that_never_trained_needs_no_repair(settings):
    assert reconcile("trains", settings) == []
    assert reconcile(NAME, settings) == []


@pytest.mark.parametrize("alias", [None, 1, 2])
def test_a_half_done_promotion_is_finished(settings, alias):
    promoted(settings, 1)
    begin(settings, NAME, 2, decided(settings, NAME, 2, at=APRIL, champion=1), at=APRIL, previous=1)
    if alias:
        registry.set_alias(settings, NAME, "champion", alias)
    assert reconcile(NAME, settings) == ["finished the promotion of version 2 (ledger entry 6)"]
    assert champion(settings) == 2
    assert ledger.champion_at(settings, NAME, APRIL) == 2
    assert reconcile(NAME, settings) == []


@pytest.mark.parametrize(
    ("alias", "kind", "says"),
    [
        (None, "reconciled", "the alias champion was gone: back at version 2"),
        (1, "reconciled", "the alias champion pointed at former champion 1: moved back to version 2"),
        (3, "alarm", "ALARM: the alias champion pointed at version 3, never promoted: moved back to version 2"),
    ],
)
def test_an_alias_that_differs_is_recorded_and_moved_back(settings, alias, kind, says):
    promoted(settings, 1, 2)
    if alias:
        registry.set_alias(settings, NAME, "champion", alias)
    assert reconcile(NAME, settings) == [f"{says} (ledger entry 7)"]
    entry = ledger.entries(settings, NAME)[-1]
    assert (entry.kind, entry.payload["pointed_at"], entry.payload["restored"]) == (kind, alias, 2)
    assert champion(settings) == 2
    assert reconcile(NAME, settings) == []


def test_an_alias_without_any_promotion_raises_the_alarm_and_is_removed(settings):
    registry.set_alias(settings, NAME, "champion", 3)
    assert "nothing was ever promoted" in reconcile(NAME, settings)[0]
    assert ledger.entries(settings, NAME)[-1].kind == "alarm"
    assert champion(settings) is None


def test_the_same_tampering_again_is_recorded_again(settings):
    promoted(settings, 1)
    for _ in range(2):
        registry.set_alias(settings, NAME, "champion", 3)
        reconcile(NAME, settings)
    assert [entry.kind for entry in ledger.entries(settings, NAME)][3:] == ["alarm", "alarm"]


def test_a_kill_between_alarm_and_move_is_repaired_by_a_rerun(settings, monkeypatch):
    promoted(settings, 1)
    registry.set_alias(settings, NAME, "champion", 3)
    with monkeypatch.context() as patch:
        patch.setattr(registry, "set_alias", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            reconcile(NAME, settings)
    assert ledger.entries(settings, NAME)[-1].kind == "alarm"
    reconcile(NAME, settings)
    assert champion(settings) == 1


def test_a_promotion_that_ends_meanwhile_is_kept(settings, monkeypatch):
    promoted(settings, 1)
    registry.set_alias(settings, NAME, "champion", 3)
    honest = ledger.append

    def meanwhile(*args, **options):
        monkeypatch.setattr(ledger, "append", honest)
        promoted(settings, 2)
        registry.set_alias(settings, NAME, "champion", 2)
        return honest(*args, **options)

    monkeypatch.setattr(ledger, "append", meanwhile)
    assert reconcile(NAME, settings) == []
    assert champion(settings) == 2


def test_nothing_is_touched_when_the_ledger_was_edited(settings):
    promoted(settings, 1)
    registry.set_alias(settings, NAME, "champion", 3)
    with state.transaction(settings) as connection:
        connection.execute(sa.update(tables.ledger_entries).values(payload='{"version":3}'))
    with pytest.raises(GuardRefused, match="does not verify"):
        reconcile(NAME, settings)
    assert champion(settings) == 3


def test_a_champion_that_is_not_registered_any_more_is_said(settings):
    promoted(settings, 9)
    says = "ALARM: champion 9 is not registered any more: it can neither score nor be compared; run a training"
    assert reconcile(NAME, settings)[0].startswith(says)
    for _ in range(3):
        assert reconcile(NAME, settings) == []
    assert [entry.kind for entry in ledger.entries(settings, NAME)] == ["decision", "intended", "done", "alarm"]


def test_a_begun_promotion_of_a_version_that_is_gone_is_given_up_and_the_next_one_may_begin(settings):
    promoted(settings, 1)
    registry.set_alias(settings, NAME, "champion", 1)
    begin(settings, NAME, 9, decided(settings, NAME, 9, at=APRIL, champion=1), at=APRIL, previous=1)
    (says,) = reconcile(NAME, settings)
    assert says == "ALARM: version 9 is not registered any more: its promotion is given up (ledger entry 6)"
    assert ledger.history(settings, NAME).open_move() is None
    assert reconcile(NAME, settings) == []
    assert (champion(settings), ledger.head(settings, NAME)) == (1, 6)


def test_an_outage_is_no_missing_version_and_records_nothing(settings, monkeypatch):
    promoted(settings, 1)

    def away(*_arguments):
        raise MlflowException("connection refused")

    monkeypatch.setattr(MlflowClient, "get_model_version", away)
    with pytest.raises(UpstreamUnavailable, match="connection refused"):
        reconcile(NAME, settings)
    assert ledger.head(settings, NAME) == 3


def test_an_alias_that_keeps_moving_is_given_up_and_said(settings, monkeypatch):
    promoted(settings, 1)
    monkeypatch.setattr(registry, "aliases", lambda *_: {"champion": 3})
    with pytest.raises(GuardRefused, match="keeps moving"):
        reconcile(NAME, settings)
