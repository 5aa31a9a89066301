"""Every kind of every column of a table, and whether what is said names it."""

from collections.abc import Iterator

from tests.support.watched_table import WatchedTable

from . import instants, numbers, outcomes, rows, texts
from .planted import INPUTS, Planted

PARTS = {"rows": rows, "outcomes": outcomes, "numbers": numbers, "texts": texts, "instants": instants}


def planted(table: WatchedTable, part: str | None = None) -> Iterator[Planted]:
    """Every kind, or those of one part."""
    for name in [part] if part else PARTS:
        yield from PARTS[name].planted(table)


def verdict(item: Planted, found: set[tuple[str, str]]) -> str:
    """`named`, `OTHER` where only something else is named, or `SILENT`."""
    named = {part for _, about in found for part in about.split(", ")}
    wanted = set(item.about)
    if INPUTS in wanted:
        # Of rows, what any column says of them is about them.
        wanted |= named
    if wanted & named:
        return "named"
    return "OTHER" if found else "SILENT"
