"""API keys of the prediction service: random, shown once, kept as SHA-256, each with what it may do.

A key reads `airloop_<id>_<secret>`. The id finds the row; the secret has 256 random bits, so that its plain hash can be
kept: nobody can try secrets of that length.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from airloop.config.nearest import nearest
from airloop.errors import ConfigError
from airloop.records import Record
from airloop.records.person_texts import require_text
from airloop.settings import Settings
from airloop.stores import state
from airloop.stores.tables import api_keys

SCOPES = {
    "predict": "ask for predictions",
    "feedback": "send outcomes",
    "admin": "both, and read metrics",
}
"""Scope -> what a key with it may do."""

_PREFIX = "airloop"
_ID_BYTES, _OWN_ID_BYTES, _SECRET_BYTES = 6, 8, 32
_NOBODY_ASKS_LONGER = timedelta(hours=1)


@dataclass(frozen=True)
class ApiKey(Record):
    """A key as it is kept.

    Attributes:
        id: Twelve hexadecimal digits, sixteen of a key that airloop made for itself; part of the key, no secret.
        sha256: Of the whole key.
        revoked_at: Empty while it is valid.
    """

    id: str
    name: str
    sha256: str
    scopes: tuple[str, ...]
    created_at: str
    revoked_at: str = ""

    def allows(self, scope: str) -> bool:
        """Whether it may be used for this."""
        return not self.revoked_at and (scope in self.scopes or "admin" in self.scopes)

    def is_key(self, text: str) -> bool:
        """Whether `text` is this key, compared in constant time."""
        return hmac.compare_digest(_hash(text), self.sha256)


def create(settings: Settings, name: str, scopes: Iterable[str]) -> tuple[str, ApiKey]:
    """Make a key: (the key itself, which nobody can read again, what is kept of it).

    Raises:
        ConfigError: No name or one with control characters, no scope, or one there is not.
    """
    return _made(settings, name, scopes, id_bytes=_ID_BYTES)


@contextmanager
def own(settings: Settings, name: str, scopes: Iterable[str]) -> Iterator[str]:
    """A key for as long as this process asks; afterwards nothing is left of it, as there is nobody to revoke it for.

    What a killed process left is removed an hour later, by the next one that makes a key; its secret died with it.
    """
    forgotten = state.instant_text(datetime.now(UTC) - _NOBODY_ASKS_LONGER)
    owns = sa.func.length(api_keys.c.id) == 2 * _OWN_ID_BYTES
    with state.transaction(settings) as connection:
        connection.execute(api_keys.delete().where(owns, api_keys.c.created_at < forgotten))
    key, record = _made(settings, name, scopes, id_bytes=_OWN_ID_BYTES)
    try:
        yield key
    finally:
        with state.transaction(settings) as connection:
            connection.execute(api_keys.delete().where(api_keys.c.id == record.id))


def listed(settings: Settings) -> tuple[ApiKey, ...]:
    """Every key, revoked ones too, oldest first."""
    query = sa.select(api_keys).order_by(api_keys.c.created_at, api_keys.c.id)
    with state.reading(settings) as connection:
        rows = connection.execute(query).mappings().all()
    return tuple(ApiKey(**{**row, "scopes": tuple(row["scopes"].split())}) for row in rows)


def revoke(settings: Settings, key_id: str) -> ApiKey:
    """Make a key invalid, for good; running services notice within two seconds. A second call changes nothing.

    Raises:
        ConfigError: No such key.
    """
    known = {key.id: key for key in listed(settings)}
    if key_id not in known:
        raise ConfigError(f"there is no key {key_id!r}{nearest(key_id, known)}; see `airloop keys list`")
    if known[key_id].revoked_at:
        return known[key_id]
    with state.transaction(settings) as connection:
        values = {"revoked_at": state.instant_text(datetime.now(UTC))}
        connection.execute(api_keys.update().where(api_keys.c.id == key_id).values(**values))
    return next(key for key in listed(settings) if key.id == key_id)


def id_of(text: str) -> str:
    """The id in a key somebody sent; empty when it is none of ours."""
    parts = text.split("_", 2)
    return parts[1] if len(parts) == 3 and parts[0] == _PREFIX else ""


def _made(settings: Settings, name: str, scopes: Iterable[str], *, id_bytes: int) -> tuple[str, ApiKey]:
    scopes_once = tuple(dict.fromkeys(scopes))
    for scope in scopes_once:
        if scope not in SCOPES:
            raise ConfigError(f"{scope!r} is not a scope{nearest(scope, SCOPES)} (scopes: {', '.join(SCOPES)})")
    if not scopes_once or not name.strip():
        raise ConfigError(
            "a key needs a name that says whose it is, and a scope: airloop keys create NAME --scope predict"
        )
    require_text(name, "the name of a key")
    key_id = secrets.token_hex(id_bytes)
    key = f"{_PREFIX}_{key_id}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    record = ApiKey(key_id, name.strip()[:100], _hash(key), scopes_once, state.instant_text(datetime.now(UTC)))
    with state.transaction(settings) as connection:
        connection.execute(api_keys.insert().values(**{**record.to_json(), "scopes": " ".join(scopes_once)}))
    return key, record


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
