"""References go with the versions they were made of: no registered version loses its own, nor the one in force."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.support import ledger_entries

from airloop.config import load_pipeline
from airloop.errors import UpstreamUnavailable
from airloop.settings import Settings
from airloop.stores.mlflow import tracking
from airloop.upkeep import old_references
from airloop.upkeep.maintain import Upkeep, maintain

NAME, MARCH = "flight_delays", datetime(2013, 3, 1, tzinfo=UTC)
NAMES = ("v1_0a.parquet", "v1_0b.parquet", "v2_0a.parquet", "v3_0a.parquet", "v2_note.parquet", "mine.parquet")


@pytest.fixture
def folder(registry_settings: Settings) -> Path:
    """References of versions 1 to 3, of which 2 was deleted and 3 is in force, and files of somebody else."""
    ledger_entries.put_in_force(registry_settings, NAME, 3, MARCH)
    tracking.client(registry_settings).delete_model_version(NAME, "2")
    folder = Path(registry_settings.lake_uri) / NAME / "references"
    folder.mkdir(parents=True)
    for name in NAMES:
        (folder / name).write_bytes(b"four")
    return folder


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_the_reference_of_a_version_that_is_gone_is_counted_and_then_removed(
    folder: Path, registry_settings: Settings
) -> None:
    pipeline = load_pipeline(NAME, registry_settings)
    assert maintain(pipeline, registry_settings, dry_run=True) == (Upkeep("references", NAME, 1, 4),)
    assert names(folder) == {*NAMES}
    assert maintain(pipeline, registry_settings, dry_run=False) == (Upkeep("references", NAME, 1, 4),)
    assert names(folder) == {*NAMES} - {"v2_0a.parquet"}
    assert maintain(pipeline, registry_settings, dry_run=False) == ()


def test_the_version_in_force_keeps_its_reference_even_when_nobody_registers_it(
    folder: Path, registry_settings: Settings
) -> None:
    client = tracking.client(registry_settings)
    for version in ("1", "3"):
        client.delete_model_version(NAME, version)
    assert old_references.remove(NAME, registry_settings, dry_run=False) == (3, 12)
    assert "v3_0a.parquet" in names(folder)


def test_where_mlflow_does_not_answer_nothing_is_removed(
    folder: Path, registry_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    away = registry_settings.model_copy(update={"mlflow_tracking_uri": "http://127.0.0.1:9"})
    with pytest.raises(UpstreamUnavailable):
        old_references.remove(NAME, away, dry_run=False)
    assert names(folder) == {*NAMES}


def test_without_references_there_is_nothing_to_ask(toy_settings: Settings) -> None:
    assert old_references.remove(NAME, toy_settings, dry_run=False) == (0, 0)
