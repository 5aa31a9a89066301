"""Putting the small files of a month together, without changing what anything that was made of them stands for.

Input keys hold a digest of file names (airloop.stores.lake.files_digest). A file that compaction wrote stands there for
those it replaced, by the table `compacted_files`: the digest stays, and nothing is computed again.
"""

import json
from collections.abc import Iterable, Iterator

import sqlalchemy as sa
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError

from airloop.files import delta_log
from airloop.settings import Settings
from airloop.stores import state, tables

_OPTIMIZE = "OPTIMIZE"
_COMMITS_BACK = 50
"""A compaction that was killed before it was noted is looked for among so many commits."""


def compact_month(uri: str, month: str, settings: Settings) -> int:
    """Merge the files of a month into as few as fit; by how many they are fewer, 0 when there was nothing to do.

    A writer that replaces rows of the month meanwhile wins, and nothing is merged.
    """
    table = DeltaTable(uri, storage_options=settings.storage_options or None)
    try:
        delta_log.keep(table)
        merged = table.optimize.compact(partition_filters=[("month", "=", month)])
    except CommitFailedError:
        return 0
    note(uri, settings)
    return int(merged["numFilesRemoved"]) - int(merged["numFilesAdded"])


def note(uri: str, settings: Settings) -> None:
    """Write down which files the results of compactions among the newest commits stand for; again changes nothing."""
    options = settings.storage_options or None
    table = DeltaTable(uri, storage_options=options)
    for commit in table.history(_COMMITS_BACK):
        version = int(commit.get("version", 0))
        if commit.get("operation") == _OPTIMIZE and version > 0:
            before, after = (set(_files(uri, at, options)) for at in (version - 1, version))
            _store(uri, before - after, after - before, settings)


def _files(uri: str, version: int, options: dict[str, str] | None) -> Iterable[str]:
    return list(DeltaTable(uri, version=version, storage_options=options).files())


def _store(uri: str, gone: set[str], come: set[str], settings: Settings) -> None:
    """The first new file stands for all that are gone, the others for none: only the sum counts."""
    table = tables.compacted_files
    known = _stands_for(uri, come, settings)
    if not come or known.keys() >= come:
        return
    stood_for = sorted(originals(uri, gone, settings))
    first, *rest = sorted(come)
    rows = [
        {"uri": uri, "path": path, "stands_for": json.dumps(stood_for if path == first else [])}
        for path in (first, *rest)
    ]
    with state.transaction(settings) as connection:
        connection.execute(sa.delete(table).where(table.c.uri == uri, table.c.path.in_(come)))
        connection.execute(sa.insert(table), rows)


def originals(uri: str, paths: Iterable[str], settings: Settings) -> Iterator[str]:
    """Each path, or the paths it stands for.

    Raises:
        UpstreamUnavailable: The state database does not answer.
    """
    listed = list(paths)
    known = _stands_for(uri, listed, settings)
    for path in listed:
        yield from known.get(path, [path])


def _stands_for(uri: str, paths: Iterable[str], settings: Settings) -> dict[str, list[str]]:
    table = tables.compacted_files
    # By the table alone: its compacted files are few, the paths asked for are many.
    query = sa.select(table.c.path, table.c.stands_for).where(table.c.uri == uri)
    path_set = set(paths)
    with state.reading(settings) as connection:
        return {path: json.loads(text) for path, text in connection.execute(query) if path in path_set}
