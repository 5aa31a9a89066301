"""Does the lake still hold what records say was written? One that was lost, or restored from a backup, does not."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from airloop.records import TableVersion
from airloop.settings import Settings
from airloop.stores.lake.tables import open_table

_DEEP = 3
"""A table lies at <lake>/<pipeline>/<layer>/<table>; the lake may have moved since the record was made."""
_LOG = "_delta_log"


def newest(tables: Iterable[TableVersion], settings: Settings) -> dict[str, int]:
    """Where each table lies now -> its newest version; -1 of one that is not there.

    Raises:
        UpstreamUnavailable: The store does not answer.
    """
    uris = {_uri(table, settings) for table in tables if table.uri.count("/") >= _DEEP}
    return {uri: _newest(uri, settings) for uri in sorted(uris)}


def fallen_behind(tables: Iterable[TableVersion], settings: Settings, known: Mapping[str, int] | None = None) -> str:
    """The first table that is older than on record, in words; empty where all stand.

    Args:
        known: What `newest` gave, for whoever asks about many windows.
    """
    for table in tables:
        if table.uri.count("/") < _DEEP:
            continue
        uri = _uri(table, settings)
        # Of a year of hours a log has thousands of entries: one is looked up, and not all are listed.
        if Path(uri, _LOG, f"{table.version:020}.json").exists():
            continue
        version = _newest(uri, settings) if known is None else known[uri]
        if version < table.version:
            now = f"at version {version}" if version >= 0 else "not there"
            return f"{uri} is {now}, and version {table.version} of it is on record"
    return ""


def _uri(table: TableVersion, settings: Settings) -> str:
    return "/".join([settings.lake_uri, *table.uri.rsplit("/", _DEEP)[1:]])


def _newest(uri: str, settings: Settings) -> int:
    """The newest version, whatever version the table is held at."""
    if "://" not in uri:
        names = (path.stem for path in Path(uri, _LOG).glob("*.json"))
        return max((int(name) for name in names if name.isdecimal()), default=-1)
    table = open_table(uri, settings)
    return -1 if table is None else int(table.version())
