"""A service that is not there: one clear line that names it and no password, nothing half-written; a rerun works."""

from pathlib import Path

import pytest
from tests.support import landed, toy

from airloop.errors import UpstreamUnavailable
from airloop.settings import Settings
from airloop.stores import state

pytestmark = pytest.mark.integration

WINDOW = toy.days(0, 40)
# Nobody listens on the discard port.
NOWHERE = "127.0.0.1:9"
CANDIDATE = {"candidate": "logistic_regression"}


def _refusal(stage: str, settings: Settings, window: toy.Window = WINDOW, **options: object) -> str:
    with pytest.raises(UpstreamUnavailable) as refused:
        toy.run(stage, settings, window, **options)
    return str(refused.value)


@pytest.mark.parametrize("kind", ["http", "postgresql+psycopg"])
def test_without_mlflow_a_training_is_tried_again_and_leaves_no_record(
    toy_built: Settings, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    toy.run("snapshot", toy_built, WINDOW)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    monkeypatch.setattr("mlflow.store.db.utils.MAX_RETRY_COUNT", 1)
    away = toy_built.model_copy(update={"mlflow_tracking_uri": f"{kind}://user:secret@{NOWHERE}"})
    says = _refusal("tune", away, **CANDIDATE)
    assert says.startswith(f"MLflow at {kind}://{NOWHERE}: ")
    assert "refused" in says
    assert "secret" not in says
    assert state.latest_records(toy_built, "toy", "tune") == []


def test_with_mlflow_back_the_training_goes_on(toy_built: Settings) -> None:
    toy.run("snapshot", toy_built, WINDOW)
    assert toy.run("tune", toy_built, WINDOW, **CANDIDATE).run_id


def test_without_its_state_database_no_stage_writes_a_row(toy_settings: Settings) -> None:
    toy.land(toy_settings, days=range(2))
    away = toy_settings.model_copy(update={"state_url": f"postgresql+psycopg://user:secret@{NOWHERE}/airloop"})
    says = _refusal("ingest", away, toy.days(0, 2))
    assert says.startswith(f"state database postgresql+psycopg://user:***@{NOWHERE}/airloop: ")
    assert "refused" in says
    assert set(landed.versions(toy_settings).values()) == {None}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"online_store": {"type": "redis", "connection_string": NOWHERE}}, "or its online store (redis): "),
        (
            {"feast_registry_url": f"postgresql+psycopg://user:secret@{NOWHERE}/feast"},
            "registry postgresql+psycopg://user:***@",
        ),
    ],
    ids=["online store", "registry"],
)
def test_without_a_store_of_feast_nothing_counts_as_materialized(
    toy_built: Settings, changes: dict[str, object], says: str
) -> None:
    refusal = _refusal("materialize", toy_built.model_copy(update=changes), toy.days(0, 45))
    assert says in refusal
    assert "secret" not in refusal
    assert state.latest_records(toy_built, "toy", "materialize") == []


def test_a_landing_store_without_credentials_is_named_and_never_taken_for_an_empty_one(
    toy_settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    away = toy_settings.model_copy(update={"landing_uri": "s3://landing"})
    assert "landing folder s3://landing/toy/jobs cannot be listed: " in _refusal("ingest", away, toy.days(0, 1))
