"""Files of lake tables: small ones of closed months put together, those that no recent version holds removed."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

import fsspec
from deltalake import DeltaTable

from airloop.errors import AirloopError, UpstreamUnavailable
from airloop.settings import Settings
from airloop.stores import compaction, lake
from airloop.upkeep import table_log

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
        listed = system.ls(path, detail=True)
    except FileNotFoundError:
        return []
    except Exception as error:  # stores have errors of their own
        raise UpstreamUnavailable(f"{folder} cannot be listed: {error}") from error
    return sorted(item["name"].rstrip("/").rsplit("/", 1)[-1] for item in listed if item["type"] == "directory")


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


def vacuum(
    uri: str, settings: Settings, *, keep_days: int, dry_run: bool, named: Collection[int] = ()
) -> tuple[int, int]:
    """Remove files that only versions older than `keep_days` hold, and the log entries before those.

    Answers how many files, and their bytes.

    Args:
        named: Older versions of the table that are to be read again: their files and log entries stay.
    """
    table = _open(uri, settings)
    listed = table.vacuum(retention_hours=keep_days * 24, dry_run=True, enforce_retention_duration=False)
    there = {version: files for version in sorted(named) if (files := _files_at(uri, version, settings)) is not None}
    gone = sorted({*listed}.difference(*there.values())) if listed else []
    if not gone:
        return 0, 0
    freed = _sizes(uri, gone, settings)
    if not dry_run:
        _remove(uri, gone, settings)
        table.create_checkpoint()
        table_log.clean(uri, settings, oldest=min(there, default=table.version()), keep_days=keep_days)
    return len(gone), freed


def _files_at(uri: str, version: int, settings: Settings) -> set[str] | None:
    """The files of a version; None where its log entries are gone, so that nobody can read it any more."""
    try:
        table = lake.open_table(uri, settings, version=version)
    except AirloopError:
        return None
    return None if table is None else {*table.files()}


def _remove(uri: str, paths: Sequence[str], settings: Settings) -> None:
    # Not by Delta's vacuum, which knows no version but the newest. Killed in between, the next call does the rest.
    system, root = fsspec.core.url_to_fs(uri, **settings.storage_options)
    try:
        system.rm([f"{root}/{path}" for path in paths if system.exists(f"{root}/{path}")])
    except Exception as error:  # stores have errors of their own
        raise UpstreamUnavailable(f"replaced files of {uri} cannot be removed: {error}") from error


def _open(uri: str, settings: Settings) -> DeltaTable:
    table = lake.open_table(uri, settings)
    if table is None:
        raise UpstreamUnavailable(f"{uri} is gone while it was looked after; run it again")
    return table


def _sizes(uri: str, paths: list[str], settings: Settings) -> int:
    system, root = fsspec.core.url_to_fs(uri, **settings.storage_options)
    return sum(int(system.size(f"{root}/{path}") or 0) for path in paths if system.exists(f"{root}/{path}"))
