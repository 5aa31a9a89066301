"""The tables a stage reads, as they stood when it looked: what its key says is what it reads."""

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from airloop.files import delta_versions
from airloop.records import Record, Window
from airloop.settings import Settings
from airloop.stores import lake


@dataclass(frozen=True)
class TablesRead(Record):
    """Tables of the lake at the moment of one look.

    Attributes:
        digests: Name -> digest of what the window's months hold; empty for a table that was not written yet.
        versions: URI -> Delta version. Not a part of the key: a write to other months makes a new version, and changes
            nothing that is read.
    """

    digests: Mapping[str, str]
    versions: Mapping[str, int] = field(compare=False, repr=False)

    def to_json(self) -> dict[str, Any]:
        """The digests."""
        return dict(self.digests)

    def as_they_stood(self) -> AbstractContextManager[None]:
        """Within it every read sees these versions: what is written meanwhile belongs to the next run."""
        return delta_versions.held(self.versions)


def look_at(uris: Mapping[str, str], settings: Settings, *, window: Window, whole: Collection[str] = ()) -> TablesRead:
    """Look at tables once.

    Args:
        uris: Name -> where a table lies.
        whole: Names of those that count with all they hold, and not with the window's months.

    Raises:
        UpstreamUnavailable: The store does not answer.
    """
    digests, versions = {}, {}
    for name, uri in uris.items():
        table = lake.open_table(uri, settings)
        versions[uri] = delta_versions.NOT_WRITTEN if table is None else int(table.version())
        with delta_versions.held({uri: versions[uri]}):
            digests[name] = lake.files_digest(uri, settings, window=None if name in whole else window)
    return TablesRead(digests, versions)
