"""What the supervisor hands out: where the platform is, and how its services are."""

from dataclasses import asdict, dataclass, field
from typing import Any

SERVICES = ("api-server", "scheduler", "dag-processor", "triggerer", "mlflow")


@dataclass(frozen=True)
class Platform:
    """A running platform.

    Attributes:
        airflow_url: Airflow's UI and REST API, without a trailing slash.
        mlflow_url: The MLflow server's UI; the tracking URI itself where that is a server of somebody else.
        username: Airflow's administrator.
        password: Generated once per `home`; the same after a restart. Not in the record's repr.
    """

    airflow_url: str
    mlflow_url: str
    username: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class ServiceStatus:
    """One service as it is now.

    Attributes:
        name: One of `SERVICES`.
        url: Where a person looks at it; empty while the platform is not running.
        healthy: Its health endpoint says so and, where the supervisor runs it, its process lives.
        pid: Its leading process; None when it does not run here.
    """

    name: str
    url: str
    healthy: bool
    pid: int | None

    def to_dict(self) -> dict[str, Any]:
        """The fields as they are, for `--json`."""
        return asdict(self)
