"""Who is told: where a pipeline's alerts go, from which severity on."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from airloop.config.node import Node

Severity = Literal["info", "warning", "critical"]
AlertKind = Literal[
    "run_failed",
    "paused",
    "source_stalled",
    "data_fault",
    "champion",
    "retraining",
    "refused",
    "promoted",
    "taken_back",
]
SEVERITIES: tuple[str, ...] = ("info", "warning", "critical")


class AlertRoute(Node):
    """One receiver. It is told of a cause at most once a day, and once more when the cause is gone."""

    to: Literal["smtp", "slack", "apprise", "log"]
    """Airflow's notifier: mail, a Slack channel's incoming webhook, any service Apprise knows, or the log."""
    severity: Severity = "warning"
    """Told of alerts at least this severe: `info` (also what went well), `warning`, `critical`."""
    connection: Annotated[str, Field(pattern=r"^[\w.-]*$")] = ""
    """Id of the Airflow connection that holds address and secret; empty: the notifier's default (`smtp_default`,
    `slack_default`, `apprise_default`). Never an address with a secret in it."""
    recipients: tuple[Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")], ...] = ()
    """Mail addresses; of `smtp` only."""
    kinds: tuple[AlertKind, ...] = ()
    """Only alerts of these kinds (`run_failed`, `data_fault`, ...); empty: all."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.to == "smtp") != bool(self.recipients):
            raise ValueError("recipients are needed by `to: smtp`, and by nothing else")
        if self.to == "log" and self.connection:
            raise ValueError("`to: log` needs no connection")
        return self
