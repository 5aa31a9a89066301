"""Feast's SQLite online store read directly, without Feast: a key's rows of one view, by one prepared statement.

The layout is Feast's own (feast.infra.online_stores.sqlite, entity keys of serialization version 3, values as its
protobuf message Value). Importing Feast for it costs seconds and most of a service's memory; a test holds that both
read the same.
"""

import sqlite3
import struct
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from airloop.errors import UpstreamUnavailable

_STRING, _INT32, _INT64 = 2, 3, 4
_KINDS: Mapping[str, tuple[int, Callable[[Any], bytes]]] = {
    "STRING": (_STRING, lambda value: str(value).encode()),
    "INT32": (_INT32, lambda value: struct.pack("<i", value)),
    "INT64": (_INT64, lambda value: struct.pack("<q", value)),
}
_TEXT, _BOOL, _PACKED = 0x12, 0x38, 0x0A
_NUMBERS = frozenset({0x18, 0x20, _BOOL})
_FIXED = {0x29: struct.Struct("<d"), 0x35: struct.Struct("<f")}
_LISTS = {15 << 3 | 2: "d", 16 << 3 | 2: "f"}
# Tags of the fields (number << 3 | wire type): text 2; int32 3, int64 4, bool 7; double 5, float 6; their lists.
_BUSY_SECONDS = 5


@dataclass(frozen=True)
class OnlineFile:
    """The file of one Feast project.

    Attributes:
        project: The pipeline's name.
    """

    path: Path
    project: str
    _local: threading.local = field(default_factory=threading.local, compare=False)

    def read(self, view: str, key: bytes) -> tuple[datetime | None, dict[str, Any]]:
        """When a view's values of a key became known, and the values by feature; None where it has none.

        Raises:
            UpstreamUnavailable: There is no such file or view, or the file is locked for too long.
        """
        try:
            rows = self._connection().execute(_statement(self.project, view), (key,)).fetchall()
        except sqlite3.Error as error:
            raise UpstreamUnavailable(f"the online store {self.path}: {error}") from error
        if not rows:
            return None, {}
        return _instant(rows[0][2]), {name: _value(content) for name, content, _ in rows}

    def _connection(self) -> sqlite3.Connection:
        # A connection belongs to one thread.
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            uri = f"{self.path.absolute().as_uri()}?mode=rw"  # read-only would not open a WAL file that nobody holds
            connection = sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)
            connection.execute("PRAGMA query_only = 1")
            self._local.connection = connection
        return connection


@lru_cache(maxsize=1024)
def _statement(project: str, view: str) -> str:
    table = f"{project}_{view}".replace('"', '""')
    return f'SELECT feature_name, value, event_ts FROM "{table}" WHERE entity_key = ?'


def entity_key(kinds: Mapping[str, str], values: Sequence[Any]) -> bytes:
    """A key as Feast serializes it (version 3): names in their order, then their values.

    Args:
        kinds: Key column -> Feast's value type (STRING, INT32, INT64), in the order of `values`.
    """
    names, head = _names_of_key(tuple(kinds))
    by_name = dict(zip(kinds, values, strict=True))
    parts = [head]
    for name in names:
        number, to_bytes = _KINDS[kinds[name]]
        encoded = to_bytes(by_name[name])
        parts += [struct.pack("<II", number, len(encoded)), encoded]
    return b"".join(parts)


@lru_cache(maxsize=1024)
def _names_of_key(columns: tuple[str, ...]) -> tuple[list[str], bytes]:
    """The columns in their order within a key, and what stands before the values."""
    names = sorted(columns)
    parts = [struct.pack("<I", len(names))]
    for name in names:
        encoded = name.encode()
        parts += [struct.pack("<II", _STRING, len(encoded)), encoded]
    return names, b"".join(parts)


def _instant(stored: Any) -> datetime:
    """Whole seconds as airloop's writer and Feast's converter have them, or the text that Feast's own writer leaves."""
    if isinstance(stored, int):
        return datetime.fromtimestamp(stored, UTC)
    instant = datetime.fromisoformat(stored.decode() if isinstance(stored, bytes) else stored)
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def _value(content: bytes) -> Any:
    """Feast's protobuf message Value: one field, numbered by its kind."""
    if not content:
        return None
    tag, at = _sized(content, 0)
    if tag in _FIXED:
        return _FIXED[tag].unpack_from(content, at)[0]
    if tag in _NUMBERS:
        value = _sized(content, at)[0]
        return bool(value) if tag == _BOOL else value - (1 << 64) if value >> 63 else value
    if tag == _TEXT:
        size, at = _sized(content, at)
        return content[at : at + size].decode()
    if tag in _LISTS:
        return _list(content, at, _LISTS[tag])
    return _by_feast(content)


def _list(content: bytes, at: int, kind: str) -> Any:
    size, at = _sized(content, at)
    if not size:
        return []
    if content[at] != _PACKED:
        return _by_feast(content)
    size, at = _sized(content, at + 1)
    return list(struct.unpack_from(f"<{size // struct.calcsize(kind)}{kind}", content, at))


def _sized(content: bytes, at: int) -> tuple[int, int]:
    """A number of protobuf's variable length, and where it ends."""
    value = shift = 0
    while True:
        byte = content[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return value, at


def _by_feast(content: bytes) -> Any:
    """Whatever is rarer than what is read above."""
    from feast.protos.feast.types.Value_pb2 import Value

    value = Value.FromString(content)
    kind = value.WhichOneof("val")
    if kind in (None, "null_val"):
        return None
    python_value = getattr(value, kind)
    return list(python_value.val) if kind.endswith("_list_val") else python_value
