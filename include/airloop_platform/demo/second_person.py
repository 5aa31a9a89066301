"""The demo's second user: whoever starts a training cannot approve its model, so the demo logs in as two."""

from typing import Any

from airloop.settings import Settings

APPROVER = "approver"
"""A login of the demo's platform beside `admin`; its generated password lies where all of them do."""

POLICY: dict[str, Any] = {"when": ["first_model"], "by": [APPROVER], "deadline_hours": 1, "default": "reject"}
"""The first model, which no champion vouches for, waits for the second user."""


def with_approver(settings: Settings) -> Settings:
    """The settings of the demo's platform: a second login and POLICY, unless the installation has a policy already."""
    if settings.approval:
        return settings
    users = {**settings.airflow_users, APPROVER: "op"}
    return settings.model_copy(update={"airflow_users": users, "approval": POLICY})
