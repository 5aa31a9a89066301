"""Where things are on this installation: the only reader of the environment (prefix AIRLOOP_)."""

import os
import sys
import time
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from airloop.errors import ConfigError
from airloop.project import find_project

_QUIET = {
    "GX_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "GIT_PYTHON_REFRESH": "quiet",
    # Two OpenMP threads on two busy cores make gradient boosting ten times slower (scikit-learn #30662).
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    # delta-rs warns of each of its own vacuum's commits.
    "RUST_LOG": "error",
    "TZ": "UTC",
}

STORES = (
    "lake_uri",
    "reports_uri",
    "state_url",
    "mlflow_tracking_uri",
    "mlflow_artifact_uri",
    "feast_registry_url",
    "online_store",
)
"""The settings that name what airloop writes to; files land at `landing_uri`."""

_main = sys.modules["__main__"]
if _main.__spec__ is None and not hasattr(_main, "__file__"):
    # A fork server, `python -c`: pyspark would take the process for its own doctests, and end it. Great Expectations
    # and MLflow import pyspark wherever it is installed.
    _main.__spec__ = ModuleSpec("__main__", None)


class Settings(BaseSettings):
    """The embedded default is SQLite and local files below `home`; production sets other URLs, nothing else.

    Attributes:
        project_dir: Holds dags/, plugins/, feature_repo/, include/pipelines/; by default airloop.project.find_project
            finds it from the working directory.
        home: Everything airloop writes; git-ignored.
        landing_uri: fsspec URL; feed files land at `<landing_uri>/<pipeline>/<feed>/`.
        lake_uri: URL of the Delta lake; tables at `<lake_uri>/<pipeline>/<layer>/<table>`.
        reports_uri: fsspec URL of validation pages, Evidently reports and pictures.
        state_url: SQLAlchemy URL of the state database (ledger, stage records).
        mlflow_tracking_uri: MLflow tracking and registry URI. A server with a login takes it from MLflow's own
            variables MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD; a database URI needs none.
        mlflow_ui_url: Where people see MLflow; pages link to it. Default: the tracking URI where that is a server.
        mlflow_artifact_uri: Root of the artifacts of experiments made by airloop.
        feast_registry_url: SQLAlchemy URL of Feast's SQL registry.
        online_store: Feast's `online_store` section.
        storage_options: Credentials and options of object storage for fsspec and Delta.
        connections: Connection id -> SQLAlchemy URL of the databases that feeds fetch from, for runs by hand; in
            Airflow its connections take their place. Holds passwords: not in the repr, not handed to children.
        engine: Where features.sql runs: `duckdb` in the worker, `spark`, `postgres`, or `module:Class` of the project's
            own; `airloop list engines` prints them, docs/guides/engines.md says what each asks for.
        engine_url: Where that engine answers. May hold a password: not in the repr.
        engine_reads_lake: Whether an engine that can (spark) reads the lake's tables itself; false when it cannot reach
            them, and the worker then sends it the rows.
        airflow_users: Logins of the local platform beside its administrator: name -> role of Airflow's
            SimpleAuthManager (viewer, user, op, admin). Their generated passwords are in run/airflow_passwords.json.
        approval: What pipelines that declare no `approval` of their own ask before a promotion, with the keys of
            `approval` in pipeline.yaml.
    """

    model_config = SettingsConfigDict(env_prefix="AIRLOOP_", frozen=True, extra="forbid")

    project_dir: Path = Path()
    home: Path = Path()
    landing_uri: str = ""
    lake_uri: str = ""
    reports_uri: str = ""
    state_url: str = ""
    mlflow_tracking_uri: str = ""
    mlflow_ui_url: str = ""
    mlflow_artifact_uri: str = ""
    feast_registry_url: str = ""
    online_store: dict[str, Any] = {}
    storage_options: dict[str, str] = {}
    connections: dict[str, str] = Field(default={}, repr=False)
    engine: str = "duckdb"
    engine_url: str = Field(default="", repr=False)
    engine_reads_lake: bool = True
    airflow_users: dict[str, Literal["viewer", "user", "op", "admin"]] = {}
    approval: dict[str, Any] = {}

    @model_validator(mode="before")
    @classmethod
    def _embedded_defaults(cls, values: dict[str, Any]) -> dict[str, Any]:
        project = Path(values.get("project_dir") or find_project()).resolve()
        home = Path(values.get("home") or project / ".airloop").resolve()
        tracking_uri = str(values.get("mlflow_tracking_uri") or "")
        defaults: dict[str, Any] = {
            "landing_uri": f"{home}/landing",
            "lake_uri": f"{home}/lake",
            "reports_uri": f"{home}/reports",
            "state_url": f"sqlite:///{home}/state.db",
            "mlflow_tracking_uri": f"sqlite:///{home}/mlflow.db",
            "mlflow_ui_url": tracking_uri if tracking_uri.startswith(("http://", "https://")) else "",
            "mlflow_artifact_uri": f"{home}/mlartifacts",
            "feast_registry_url": f"sqlite:///{home}/feast_registry.db",
            "online_store": {"type": "sqlite", "path": f"{home}/online_store.db"},
        }
        return {
            **defaults,
            **{k: v for k, v in values.items() if v or v is False},
            "project_dir": project,
            "home": home,
        }

    @property
    def pipelines_dir(self) -> Path:
        """The folder with one folder per pipeline."""
        return self.project_dir / "include" / "pipelines"

    @property
    def feature_repo_dir(self) -> Path:
        """The folder `feast apply` reads."""
        return self.project_dir / "feature_repo"


def load_settings(**overrides: Any) -> Settings:
    """Read the environment once more; called inside functions, never at import.

    Raises:
        ConfigError: An AIRLOOP_ variable has a value that cannot be read, or there is no project.
    """
    try:
        return Settings(**overrides)
    except SettingsError as error:
        raise ConfigError(f"an AIRLOOP_ variable: {error} (JSON is expected)") from error
    except ValidationError as error:
        # Names and reasons only: a value may be a secret.
        wrong = [f"AIRLOOP_{'_'.join(map(str, item['loc'])).upper()}: {item['msg']}" for item in error.errors()]
        raise ConfigError("; ".join(wrong)) from error


def quiet_environment() -> dict[str, str]:
    """The variables every airloop process runs with: telemetry off, one thread per library, UTC."""
    return dict(_QUIET)


def apply_quiet_environment() -> None:
    """Set `quiet_environment` for this process, before the heavy libraries are imported; a value already set stays."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    time.tzset()  # TZ was perhaps read before: Feast's SQLite store writes instants through the process's zone
