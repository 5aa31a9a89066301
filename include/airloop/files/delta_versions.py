"""Which version of a Delta table is read: the newest one, or that of the moment a stage looked at its tables."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

NOT_WRITTEN = -1
"""In place of a version: the table did not exist yet, and is not there for whoever reads."""

_held: ContextVar[Mapping[str, int] | None] = ContextVar("airloop_delta_versions", default=None)


@contextmanager
def held(versions: Mapping[str, int]) -> Iterator[None]:
    """Read the tables at these versions, whatever is committed meanwhile; other tables stay at their newest.

    Holds for this thread and what it calls, Feast's retrieval too. A table that is held is not written.

    Args:
        versions: URI -> version, or NOT_WRITTEN.
    """
    token = _held.set({**(_held.get() or {}), **{_one_way(uri): version for uri, version in versions.items()}})
    try:
        yield
    finally:
        _held.reset(token)


def held_version(uri: str) -> int | None:
    """The version at which a table is held; None for the newest one."""
    return (_held.get() or {}).get(_one_way(uri))


def _one_way(uri: str) -> str:
    """A URI as it is written without doubled slashes: Feast and the lake put it together each for themselves."""
    return re.sub(r"(?<!:)/{2,}", "/", uri)
