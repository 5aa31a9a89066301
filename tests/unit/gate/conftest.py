"""A pipeline whose second version is the champion: what tests of promotion and rollback start from."""

from datetime import UTC, datetime

import pytest
from tests.support import ledger_entries

from airloop.gate import going_back, promote
from airloop.settings import Settings
from airloop.stores.mlflow import registry

NAME = "flight_delays"


@pytest.fixture
def two_in_force(registry_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Versions 1 and 2 were promoted, from March and from April on; each loads and predicts."""
    march, april = (datetime(2013, month, 1, tzinfo=UTC) for month in (3, 4))
    monkeypatch.setattr(going_back, "checked", lambda *_: "d" * 64)
    monkeypatch.setattr(promote, "check_model", lambda *_, digest, **__: digest)
    ledger_entries.put_in_force(registry_settings, NAME, 1, march)
    ledger_entries.put_in_force(registry_settings, NAME, 2, april, previous=1)
    registry.set_alias(registry_settings, NAME, "champion", 2)
    return registry_settings
