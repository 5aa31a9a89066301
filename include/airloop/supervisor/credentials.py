"""The administrator's password and what Airflow signs and encrypts with: generated once per home, never logged."""

import base64
import secrets
from dataclasses import asdict, dataclass, field, fields

from airloop.errors import ConfigError
from airloop.settings import Settings
from airloop.supervisor.run_folder import create_private, run_folder, write_private

USERNAME = "admin"


@dataclass(frozen=True)
class Credentials:
    """All secrets of one home.

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


def credentials(settings: Settings) -> Credentials:
    """The secrets of this home; the first call writes `run/secrets.json` and Airflow's password file (0600).

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
    kept = create_private(folder.secrets, asdict(fresh))
    if set(kept) != {part.name for part in fields(Credentials)}:
        message = f"{folder.secrets} is damaged: restore it, or remove it together with {settings.home}/airflow"
        raise ConfigError(message)
    write_private(folder.passwords, {USERNAME: kept["admin_password"]})
    return Credentials(**kept)
