"""The administrators' passwords and what the services sign and encrypt with: generated once per home, never logged."""

import base64
import secrets
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from airloop.errors import ConfigError
from airloop.settings import Settings
from airloop_platform.supervisor.run_folder import create_private, read_private, run_folder, write_private

USERNAME = "admin"


@dataclass(frozen=True)
class Credentials:
    """Airflow's secrets of one home.

    Attributes:
        admin_password: Of Airflow's user `USERNAME`.
        fernet_key: 32 random bytes in URL-safe base64; encrypts connections in Airflow's database, so it must stay.
        api_secret_key: Signs the UI's sessions.
        jwt_secret: Signs the tokens of tasks and users; the same in all Airflow processes.
    """

    admin_password: str = field(repr=False)
    fernet_key: str = field(repr=False)
    api_secret_key: str = field(repr=False)
    jwt_secret: str = field(repr=False)


@dataclass(frozen=True)
class MlflowCredentials:
    """The MLflow server's secrets of one home.

    Attributes:
        password: Of its user `USERNAME`; the server stores it when it first starts, so it must stay.
        secret_key: Signs the forms of its own pages.
    """

    password: str = field(repr=False)
    secret_key: str = field(repr=False)


def credentials(settings: Settings) -> Credentials:
    """Airflow's secrets of this home; the first call writes `run/secrets.json` and Airflow's password file (0600).

    Raises:
        ConfigError: The file was edited and is not complete any more.
    """
    folder = run_folder(settings)
    fresh = Credentials(
        admin_password=secrets.token_urlsafe(12),
        fernet_key=base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        api_secret_key=secrets.token_urlsafe(32),
        jwt_secret=secrets.token_urlsafe(64),
    )
    stored = _kept(folder.secrets, fresh, together_with=settings.home / "airflow")
    passwords = read_private(folder.passwords) or {}
    others = {name: passwords.get(name) or secrets.token_urlsafe(12) for name in settings.airflow_users}
    write_private(folder.passwords, {**others, USERNAME: stored["admin_password"]})
    return Credentials(**stored)


def mlflow_credentials(settings: Settings) -> MlflowCredentials:
    """The MLflow server's secrets of this home; the first call writes `run/mlflow_secrets.json` (0600).

    Raises:
        ConfigError: The file was edited and is not complete any more.
    """
    folder = run_folder(settings)
    fresh = MlflowCredentials(password=secrets.token_urlsafe(12), secret_key=secrets.token_urlsafe(32))
    return MlflowCredentials(**_kept(folder.mlflow_secrets, fresh, together_with=folder.mlflow_users))


def _kept(path: Path, fresh: Credentials | MlflowCredentials, *, together_with: Path) -> dict[str, str]:
    stored = create_private(path, asdict(fresh))
    if set(stored) != {part.name for part in fields(fresh)}:
        raise ConfigError(f"{path} is damaged: restore it, or remove it together with {together_with}")
    return stored
