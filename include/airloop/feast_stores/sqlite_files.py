"""The SQLite files of Feast's registry and online store, where they are SQLite's."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from airloop.files.private_files import create_private, sqlite_file


def make_missing(registry_url: str, online_store: Mapping[str, Any]) -> bool:
    """Make the files that are missing, 0600; whether the online store was there.

    Raises:
        OSError: A place cannot be written.
    """
    online = Path(online_store["path"]) if online_store.get("type") == "sqlite" else None
    was_there = online is None or online.exists()
    for path in filter(None, (sqlite_file(registry_url), online)):
        create_private(path)
    return was_there
