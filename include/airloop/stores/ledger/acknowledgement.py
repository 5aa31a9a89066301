"""The way out of a ledger that does not verify and cannot be restored: a person says that what is there is to go on."""

from datetime import UTC, datetime

from airloop.errors import ConfigError
from airloop.records.person_texts import require_reason
from airloop.settings import Settings
from airloop.stores.ledger.chain import append
from airloop.stores.ledger.entry import Entry


def acknowledge(settings: Settings, pipeline: str, *, problems: list[str], why: str, who: str) -> Entry:
    """Put on record that a person knows these problems; `verify` leaves them out from now on, and new ones count.

    The entry takes effect now (wall clock): it is about the database, not about a window.

    Raises:
        ConfigError: There is no problem, or no reason.
    """
    if not problems:
        raise ConfigError(f"the ledger of {pipeline} verifies: there is nothing to acknowledge")
    reason = require_reason(why, "--why 'restored from the backup of 1 May'")
    payload = {"problems": problems, "why": reason, "who": who}
    return append(settings, pipeline, kind="acknowledged", effective_at=datetime.now(UTC), payload=payload)
