"""Files of lake tables: small ones of closed months put together, those that no recent version holds removed."""

from collections import Counter
from collections.abc import Iterator

import fsspec
from deltalake import DeltaTable

from airloop.errors import UpstreamUnavailable
from airloop.settings import Settings
from airloop.stores import compaction, lake

_LAYERS = ("raw", "clean", "quarantine", "features", "predictions")
"""Not snapshots: what a version was trained on is kept."""


def table_uris(pipeline: str, settings: Settings) -> Iterator[str]:
    """Every table of a pipeline, in the order of its layers.

    Raises:
        UpstreamUnavailable: The lake cannot be listed.
    """
    for layer in _LAYERS:
        folder = f"{settings.lake_uri}/{pipeline}/{layer}"
        for name in _folders(folder, settings):
            if lake.open_table(f"{folder}/{name}", settings) is not None:
                yield f"{folder}/{name}"


def _folders(folder: str, settings: Settings) -> list[str]:
    try:
        system, path = fsspec.core.url_to_fs(folder, **settings.storage_options)
        system.invalidate_cache()
        found = system.ls(path, detail=True)
    except FileNotFoundError:
        return []
    except Exception as error:  # stores have errors of their own
        raise UpstreamUnavailable(f"{folder} cannot be listed: {error}") from error
    return sorted(item["name"].rstrip("/").rsplit("/", 1)[-1] for item in found if item["type"] == "directory")


def compact(uri: str, settings: Settings, *, dry_run: bool) -> int:
    """Merge each closed month's files; by how many files the table gets smaller.

    The newest month is still written to. A dry run counts as if each month became one file.
    """
    compaction.note(uri, settings)
    months = Counter(lake.month_of(path) for path in _open(uri, settings).files())
    closed = sorted(month for month, files in months.items() if month and month != max(months) and files > 1)
    if dry_run:
        return sum(months[month] - 1 for month in closed)
    merged = sum(compaction.compact_month(uri, month, settings) for month in closed)
    if merged:
        _open(uri, settings).create_checkpoint()
    return merged


def vacuum(uri: str, settings: Settings, *, keep_days: int, dry_run: bool) -> tuple[int, int]:
    """Remove files that only versions older than `keep_days` hold, and the log entries before those.

    Answers how many files, and their bytes.
    """
    hours = keep_days * 24
    gone = _open(uri, settings).vacuum(retention_hours=hours, dry_run=True, enforce_retention_duration=False)
    if not gone:
        return 0, 0
    freed = _sizes(uri, gone, settings)
    if not dry_run:
        _open(uri, settings).vacuum(retention_hours=hours, dry_run=False, enforce_retention_duration=False)
        _open(uri, settings).create_checkpoint()
        _open(uri, settings).cleanup_metadata()
    return len(gone), freed


def _open(uri: str, settings: Settings) -> DeltaTable:
    table = lake.open_table(uri, settings)
    if table is None:
        raise UpstreamUnavailable(f"{uri} is gone while it was looked after; run it again")
    return table


def _sizes(uri: str, paths: list[str], settings: Settings) -> int:
    system, root = fsspec.core.url_to_fs(uri, **settings.storage_options)
    return sum(int(system.size(f"{root}/{path}") or 0) for path in paths if system.exists(f"{root}/{path}"))
