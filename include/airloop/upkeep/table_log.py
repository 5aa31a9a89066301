"""Cleaning the log of a table up to a version that is still read: Delta's own cleaning knows the newest only."""

from datetime import UTC, datetime, timedelta

import fsspec

from airloop.errors import UpstreamUnavailable
from airloop.settings import Settings


def clean(uri: str, settings: Settings, *, oldest: int, keep_days: int) -> int:
    """Remove log entries that no reader of version `oldest` or a newer one needs; how many.

    Those are all before the newest checkpoint at or before `oldest`, as far as they are older than `keep_days` (by
    their time in the store).

    Raises:
        UpstreamUnavailable: The log cannot be listed, or an entry not removed.
    """
    until = datetime.now(UTC) - timedelta(days=keep_days)
    try:
        system, root = fsspec.core.url_to_fs(f"{uri}/_delta_log", **settings.storage_options)
        system.invalidate_cache()
        versions = {name: version for name in system.find(root) if (version := _version(name)) is not None}
        checkpoints = [v for name, v in versions.items() if ".checkpoint" in name and v <= oldest]
        first = max(checkpoints, default=0)
        old = [name for name, version in versions.items() if version < first and system.modified(name) < until]
        if old:
            system.rm(old)
    except Exception as error:  # stores have errors of their own
        raise UpstreamUnavailable(f"the log of {uri} cannot be cleaned: {error}") from error
    return len(old)


def _version(name: str) -> int | None:
    """The version of a log entry or checkpoint; None of `_last_checkpoint` and what others put there."""
    number = name.rsplit("/", 1)[-1].split(".")[0]
    return int(number) if number.isdecimal() else None
