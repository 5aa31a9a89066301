"""`ledger verify` compares with MLflow: a version that names a decision which the ledger does not hold is found."""

from datetime import UTC, datetime

import pytest
from mlflow import MlflowClient
from tests.support import ledger_entries

from airloop.errors import GuardRefused, UpstreamUnavailable
from airloop.settings import Settings
from airloop.stores import ledger, ledger_witness
from airloop.stores.mlflow.registry import DECISION_HASH, DECISION_SEQUENCE

NAME, AT = "flight_delays", datetime(2013, 3, 1, tzinfo=UTC)


def tag(settings: Settings, version: int, sequence: str, known: str | None = None) -> None:
    client = MlflowClient(settings.mlflow_tracking_uri, settings.mlflow_tracking_uri)
    client.set_model_version_tag(NAME, str(version), DECISION_SEQUENCE, sequence)
    if known is not None:
        client.set_model_version_tag(NAME, str(version), DECISION_HASH, known)


def hash_of(settings: Settings, number: int) -> str:
    return next(entry.hash for entry in ledger.entries(settings, NAME) if entry.sequence == number)


def refused(settings: Settings) -> list[str]:
    with pytest.raises(GuardRefused, match=r"does not verify: MLflow says .*ledger acknowledge flight_delays"):
        ledger_witness.require_intact(settings, NAME)
    return ledger_witness.problems(settings, NAME)


def test_versions_that_name_their_decisions_verify(registry_settings: Settings) -> None:
    number = ledger_entries.decided(registry_settings, NAME, 1, at=AT)
    tag(registry_settings, 1, str(number), hash_of(registry_settings, number))
    assert ledger_witness.problems(registry_settings, NAME) == []
    assert len(ledger_witness.require_intact(registry_settings, NAME).of("decision")) == 1


def test_a_version_decided_before_hashes_were_written_verifies_by_its_number(registry_settings: Settings) -> None:
    tag(registry_settings, 1, str(ledger_entries.decided(registry_settings, NAME, 1, at=AT)))
    assert ledger_witness.problems(registry_settings, NAME) == []


def test_a_decision_that_was_cut_off_is_found(registry_settings: Settings) -> None:
    tag(registry_settings, 1, "7", "ab" * 32)
    assert refused(registry_settings) == [
        "MLflow says that version 1 was decided by entry 7 with hash abababababab, which is not in the ledger"
    ]


def test_a_decision_that_was_made_anew_under_its_number_is_found(registry_settings: Settings) -> None:
    number = ledger_entries.decided(registry_settings, NAME, 1, at=AT)
    tag(registry_settings, 1, str(number), "cd" * 32)
    assert len(refused(registry_settings)) == 1


def test_a_decision_about_another_version_is_found(registry_settings: Settings) -> None:
    number = ledger_entries.decided(registry_settings, NAME, 1, at=AT)
    tag(registry_settings, 2, str(number), hash_of(registry_settings, number))
    assert len(refused(registry_settings)) == 1


def test_what_a_person_acknowledged_is_gone_on_with(registry_settings: Settings) -> None:
    tag(registry_settings, 1, "7", "ab" * 32)
    ledger.acknowledge(registry_settings, NAME, problems=refused(registry_settings), why="restored", who="ada")
    assert ledger_witness.problems(registry_settings, NAME) == []


def test_a_champion_that_the_ledger_never_decided_is_found_by_one_question(registry_settings: Settings) -> None:
    number = ledger_entries.decided(registry_settings, NAME, 1, at=AT)
    client = MlflowClient(registry_settings.mlflow_tracking_uri, registry_settings.mlflow_tracking_uri)
    ledger_witness.refuse_forgotten(registry_settings, NAME)
    client.set_registered_model_alias(NAME, "champion", "1")
    tag(registry_settings, 1, str(number), hash_of(registry_settings, number))
    ledger_witness.refuse_forgotten(registry_settings, NAME)
    tag(registry_settings, 1, str(number + 1), "ef" * 32)
    with pytest.raises(GuardRefused, match=r"does not verify: MLflow says .*ledger acknowledge flight_delays"):
        ledger_witness.refuse_forgotten(registry_settings, NAME)


def test_an_mlflow_that_does_not_answer_is_asked_again(
    registry_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    silent = registry_settings.model_copy(update={"mlflow_tracking_uri": "http://127.0.0.1:1"})
    with pytest.raises(UpstreamUnavailable):
        ledger_witness.refuse_forgotten(silent, NAME)
