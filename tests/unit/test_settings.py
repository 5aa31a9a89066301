"""One environment, read when asked for; what cannot be read is named, never shown."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from airloop import settings as module
from airloop.errors import ConfigError
from airloop.settings import apply_quiet_environment, load_settings, quiet_environment

LOCATIONS = ("landing_uri", "lake_uri", "reports_uri", "state_url", "mlflow_tracking_uri", "feast_registry_url")


def test_everything_lies_below_home_by_default(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path)
    assert all(str(tmp_path) in getattr(settings, name) for name in (*LOCATIONS, "mlflow_artifact_uri"))
    assert settings.online_store == {"type": "sqlite", "path": f"{tmp_path}/online_store.db"}


def test_the_checkout_is_found_without_being_told() -> None:
    settings = load_settings()
    assert (settings.pipelines_dir / "flight_delays" / "pipeline.yaml").is_file()
    assert (settings.feature_repo_dir / "feature_store.yaml").is_file()
    assert settings.home == settings.project_dir / ".airloop"


@pytest.mark.parametrize("name", LOCATIONS)
def test_a_variable_sets_one_place_and_no_other(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = load_settings(home=tmp_path)
    monkeypatch.setenv(f"AIRLOOP_{name.upper()}", "other://place")
    after = load_settings(home=tmp_path)
    assert getattr(after, name) == "other://place"
    assert after.model_copy(update={name: getattr(before, name)}) == before


def test_the_environment_is_read_at_every_call(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    load_settings()
    monkeypatch.setenv("AIRLOOP_HOME", str(tmp_path / "later"))
    assert load_settings().home == tmp_path / "later"


def test_an_empty_variable_means_the_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AIRLOOP_LAKE_URI", "")
    assert load_settings(home=tmp_path).lake_uri == f"{tmp_path}/lake"


def test_structured_variables_are_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRLOOP_STORAGE_OPTIONS", '{"key": "k"}')
    assert load_settings().storage_options == {"key": "k"}


@pytest.mark.parametrize("value", ["key=hush", '["hush"]', '{"key": ["hush"]}', '"hush"'])
def test_an_unreadable_variable_is_named_and_its_value_is_not_shown(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRLOOP_STORAGE_OPTIONS", value)
    with pytest.raises(ConfigError) as refused:
        load_settings()
    assert "storage_options" in str(refused.value).lower()
    assert "hush" not in str(refused.value)


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(ConfigError, match="LAKE_URL"):
        load_settings(lake_url="x")


def test_settings_are_frozen(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path)
    with pytest.raises(ValueError, match="frozen"):
        settings.home = tmp_path


def test_the_quiet_environment_keeps_what_is_set_already(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MLFLOW_DISABLE_TELEMETRY")
    apply_quiet_environment()
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"


def test_every_process_runs_in_utc_with_one_thread_per_library_and_no_telemetry() -> None:
    quiet = quiet_environment()
    assert {"TZ": "UTC", "OMP_NUM_THREADS": "1", "GX_ANALYTICS_ENABLED": "false"}.items() <= quiet.items()
    quiet["TZ"] = "elsewhere"
    assert quiet_environment()["TZ"] == "UTC"


def test_importing_settings_loads_no_heavy_library() -> None:
    code = "import sys, airloop.settings; print([m for m in ('pandas', 'pyarrow', 'sqlalchemy') if m in sys.modules])"
    folder = Path(module.__file__).parents[1]
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=folder)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize(("guarded", "code"), [(True, 0), (False, 255)])
def test_importing_great_expectations_beside_pyspark_does_not_end_a_process_without_a_main_file(guarded, code):
    asked = "import great_expectations.compatibility.pyspark"
    if guarded:
        asked = f"import airloop.settings\n{asked}"
    environment = {name: value for name, value in os.environ.items() if name != "SPARK_HOME"}
    command = [sys.executable, "-c", f"{asked}\nprint('here')"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, "here" in done.stdout) == (code, guarded)
