"""Reports that are older than a pipeline keeps them."""

from datetime import datetime, timedelta

import fsspec

from airloop.errors import UpstreamUnavailable
from airloop.settings import Settings


def remove(pipeline: str, settings: Settings, *, now: datetime, days: int, dry_run: bool) -> tuple[int, int]:
    """Remove reports of a window that were written before now - days: how many files, and their bytes.

    Raises:
        UpstreamUnavailable: The folder cannot be listed, or a file not removed.
    """
    until, root = now - timedelta(days=days), f"{settings.reports_uri}/{pipeline}"
    try:
        system, path = fsspec.core.url_to_fs(root, **settings.storage_options)
        files = system.find(path, detail=True) if system.exists(path) else {}
        old = [name for name in files if _of_a_window(name) and system.modified(name) < until]
        if old and not dry_run:
            system.rm(old)
    except Exception as error:  # stores have errors of their own
        raise UpstreamUnavailable(f"reports at {root} cannot be removed: {error}") from error
    return len(old), sum(int(files[name]["size"]) for name in old)


def _of_a_window(name: str) -> bool:
    """Whether a file is named `<start>_<end>.<suffix>` (airloop.reports.publish); the catalogue is not."""
    return "_" in name.rsplit("/", 1)[-1]
