"""A second user of Airflow, who answers what a promotion asks: not the one who has started it."""

from dataclasses import dataclass, field, replace
from typing import Self

from airloop.settings import Settings
from airloop_platform.replay.airflow_client import AirflowClient, Run
from airloop_platform.supervisor import Platform
from airloop_platform.supervisor.run_folder import read_private, run_folder

_COMMENT = "the floors hold (said by the second user of a demo)"


@dataclass(frozen=True)
class Approver:
    """A login of the running platform, and what it says yes to.

    Attributes:
        platform: With this user's name and password.
    """

    platform: Platform = field(repr=False)

    @classmethod
    def of(cls, name: str, platform: Platform, settings: Settings) -> Self | None:
        """The user of that name; None where the running platform has no such login."""
        password = (read_private(run_folder(settings).passwords) or {}).get(name) if name else None
        return None if password is None else cls(replace(platform, username=name, password=password))

    def approves(self, run: Run) -> bool:
        """Approve what the run asks; False where it asks others.

        Raises:
            AirloopError: Airflow refuses the login or the answer.
        """
        with AirflowClient(self.platform) as client:
            for question in client.questions(run):
                entitled = [user["name"] for user in question["assigned_users"]]
                if entitled and self.platform.username not in entitled:
                    return False
                client.answer(run, "approve", "Approve", comment=_COMMENT)
        return True
