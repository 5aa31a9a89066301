"""What the supervisor hands out: where the platform is, and how its services are."""

from dataclasses import asdict, dataclass, field
from typing import Any

SERVICES = ("api-server", "scheduler", "dag-processor", "triggerer", "mlflow", "serving")
STREAM_SERVICES = ("redis", "streams")
"""Those that run only where a pipeline declares a stream."""


@dataclass(frozen=True)
class Platform:
    """A running platform.

    Attributes:
        airflow_url: Airflow's UI and REST API, without a trailing slash.
        mlflow_url: The MLflow server's UI; the tracking URI itself where that is a server of somebody else.
        username: Airflow's administrator.
        password: Generated once per `home`; the same after a restart. Neither password is in the record's repr.
        mlflow_password: Of the same username at the MLflow server; empty where that is a server of somebody else.
        serving_url: The prediction service; asked with an API key (`airloop keys create`).
    """

    airflow_url: str
    mlflow_url: str
    username: str
    password: str = field(repr=False)
    mlflow_password: str = field(repr=False)
    serving_url: str = ""

    def logins(self) -> tuple[str, str]:
        """What a person needs to look around: a line for Airflow, one for MLflow."""
        airflow = f"Airflow  {self.airflow_url}   login {self.username} / {self.password}"
        mlflow = f"MLflow   {self.mlflow_url}"
        return airflow, f"{mlflow}   login {self.username} / {self.mlflow_password}" if self.mlflow_password else mlflow


@dataclass(frozen=True)
class ServiceStatus:
    """One service as it is now.

    Attributes:
        name: One of `SERVICES` or `STREAM_SERVICES`.
        url: Where a person looks at it; empty while the platform is not running.
        healthy: Its health endpoint says so and, where the supervisor runs it, its process lives.
        pid: Its leading process; None when it does not run here.
        restarts: How often it died and was started again since the platform was started.
    """

    name: str
    url: str
    healthy: bool
    pid: int | None
    restarts: int = 0

    def to_dict(self) -> dict[str, Any]:
        """The fields as they are, for `--json`."""
        return asdict(self)
