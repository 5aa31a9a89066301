"""A champion promoted before digests were taken gets its digest on record once; then other files are refused."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from tests.support import ledger_entries, toy

from airloop.errors import GuardRefused
from airloop.models import recorded_digest
from airloop.settings import Settings
from airloop.stores import ledger, state, tables
from airloop.stores.mlflow import model_files

AT = toy.START + timedelta(days=30)
FILES = {"model.skops": b"trees", "MLmodel": b"flavors"}
OTHERS = {**FILES, "model.skops": b"other trees"}


def seal(settings: Settings, files: dict[str, bytes] = FILES, version: int = 1) -> None:
    model: Any = SimpleNamespace(version=version, digest=model_files.digest(files))
    recorded_digest.record_digest(toy.toy_pipeline(settings), model, settings)


def sealed(settings: Settings) -> list[dict[str, Any]]:
    return [entry.payload for entry in ledger.entries(settings, "toy", kind="sealed")]


def refuse_changed(settings: Settings, files: dict[str, bytes]) -> str:
    return recorded_digest.refuse_changed("toy", 1, files, settings)


@pytest.fixture
def old_champion(toy_settings: Settings) -> Settings:
    """Version 1 is in force, and nothing says which files it had."""
    ledger_entries.put_in_force(toy_settings, "toy", 1, AT)
    return toy_settings


def test_the_first_scoring_seals_and_the_same_files_pass(old_champion: Settings) -> None:
    assert refuse_changed(old_champion, OTHERS) == model_files.digest(OTHERS)
    seal(old_champion)
    assert refuse_changed(old_champion, FILES) == model_files.digest(FILES)
    assert ledger.verify(old_champion, "toy") == []


def test_other_files_are_refused_once_it_is_sealed(old_champion: Settings) -> None:
    seal(old_champion)
    with pytest.raises(GuardRefused, match=r"files of toy version 1 were changed: .*put the original files back"):
        refuse_changed(old_champion, OTHERS)


def test_a_second_seal_changes_nothing_and_the_first_counts(old_champion: Settings) -> None:
    seal(old_champion)
    seal(old_champion, OTHERS)
    assert [payload["model_digest"] for payload in sealed(old_champion)] == [model_files.digest(FILES)]


def test_a_version_that_was_never_promoted_is_not_sealed(toy_settings: Settings) -> None:
    seal(toy_settings)
    assert sealed(toy_settings) == []


def test_the_digest_of_the_decision_counts_before_a_seal_that_was_slipped_in(toy_settings: Settings) -> None:
    known = model_files.digest(FILES)
    made = ledger_entries.decision(1, at=AT, model_digest=known)
    ledger_entries.record(toy_settings, "toy", made)
    forged = {"version": 1, "model_digest": model_files.digest(OTHERS), "why": "mine"}
    ledger.append(toy_settings, "toy", kind="sealed", effective_at=AT, payload=forged)
    assert recorded_digest.ledger_digest(toy_settings, "toy", 1) == known
    with pytest.raises(GuardRefused, match="were changed"):
        refuse_changed(toy_settings, OTHERS)


def test_a_seal_that_was_rewritten_is_found_and_nothing_acts_on_the_ledger(old_champion: Settings) -> None:
    seal(old_champion)
    table = tables.ledger_entries
    with state.transaction(old_champion) as connection:
        other = f'{{"model_digest":"{model_files.digest(OTHERS)}","version":1,"why":"x"}}'
        connection.execute(sa.update(table).where(table.c.kind == "sealed").values(payload=other))
    assert any("(sealed) was changed" in problem for problem in ledger.verify(old_champion, "toy"))
    with pytest.raises(GuardRefused, match="does not verify"):
        ledger.champion_at(old_champion, "toy", AT)
