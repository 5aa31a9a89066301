"""Attributes that one thing always has: the length of a road, the seats of a bus.

Where a column had one value for each value of another (or of two others) in the past, and many of those values are
different ones now, something changed for all at once: a unit, a mapping, a join.
"""

import heapq
import itertools
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from airloop.config import Feed

_MOST_GROUPS, _FEWEST_GROUPS = 200, 5
_MOST_DETERMINANTS = 6
_KEPT = 0.99
"""Share of the rows that have their group's commonest value, for a column to count as fixed."""
_LEAST_ROWS = 30
_LEAST_ROWS_A_GROUP = 4
_CHANGED = 0.5


@dataclass(frozen=True)
class Changed:
    """A fixed attribute that changed.

    Attributes:
        column: The attribute; `by` what fixed it.
        share: Share of the groups seen before whose value is another now.
        example: One of them, in words.
    """

    column: str
    by: str
    share: float
    example: str


def find(feed: Feed, rows: pl.DataFrame) -> dict[str, dict[str, str]]:
    """`origin, dest -> distance_miles` -> each group's value, for the fewest columns that fix an attribute.

    Groups are few hundred, the same ones in every window; of a static table they are its keys.
    """
    if rows.height < _LEAST_ROWS:
        return {}
    fixed: dict[str, dict[str, str]] = {}
    for name in _attributes(feed, rows):
        for by in _determinants(feed, rows, name):
            values = _values(rows, by, name, alone=by == feed.key)
            if values is not None:
                fixed[f"{', '.join(by)} -> {name}"] = values
                break
    return fixed


def changed(past: Sequence[Mapping[str, Mapping[str, str]]], window: Mapping[str, Mapping[str, str]]) -> list[Changed]:
    """The attributes that were fixed in every past window and have another value for most groups now.

    Args:
        past: `find` of earlier windows, oldest first.
    """
    found = []
    for rule in past[-1] if past else {}:
        held = [earlier[rule] for earlier in past if rule in earlier]
        now = window.get(rule)
        if now is None or not _stable(held):
            continue
        before = {group: value for earlier in held for group, value in earlier.items()}
        compared = [group for group in now if group in before]
        different = [group for group in compared if now[group] != before[group]]
        if len(compared) >= _FEWEST_GROUPS and len(different) >= _CHANGED * len(compared):
            by, _, column = rule.partition(" -> ")
            first = different[0]
            found.append(
                Changed(column, by, len(different) / len(compared), f"{first}: {before[first]} is {now[first]} now")
            )
    return found


def _stable(held: Sequence[Mapping[str, str]]) -> bool:
    """Whether the groups kept their values from window to window: what changes each month is not fixed."""
    for earlier, later in itertools.pairwise(held):
        common = [group for group in later if group in earlier]
        if sum(earlier[group] != later[group] for group in common) > 0.1 * len(common):
            return False
    return True


def _attributes(feed: Feed, rows: pl.DataFrame) -> list[str]:
    """Columns that vary and are neither key nor time."""
    named = [name for name, kind in feed.columns.items() if kind != "timestamp" and name not in feed.key]
    return [name for name in named if rows[name].drop_nulls().n_unique() > 2]


def _determinants(feed: Feed, rows: pl.DataFrame, attribute: str) -> Iterator[tuple[str, ...]]:
    if feed.static:
        yield feed.key
        return
    few = [
        name
        for name, kind in feed.columns.items()
        if kind == "string"
        and name != attribute
        and (name,) != feed.key
        and 2 < rows[name].n_unique() <= rows.height / _LEAST_ROWS_A_GROUP
    ][:_MOST_DETERMINANTS]
    for size in (1, 2):
        yield from itertools.combinations(few, size)


def _values(rows: pl.DataFrame, by: tuple[str, ...], name: str, *, alone: bool) -> dict[str, str] | None:
    """Each group's commonest value; None where it is not fixed. `alone`: a group is one row, as in a static table."""
    whole = rows.select(*by, name).drop_nulls()
    counts = whole.group_by(*by, name).len().sort("len", name, descending=[True, False])
    groups = counts.group_by(*by, maintain_order=True).agg(
        pl.col(name).first(), pl.col("len").sum(), top=pl.col("len").first()
    )
    if groups.height < _FEWEST_GROUPS or groups[name].n_unique() < _FEWEST_GROUPS:
        return None
    several = groups if alone else groups.filter(pl.col("len") > 1)
    if several.height < _FEWEST_GROUPS or (not alone and several["len"].sum() < _LEAST_ROWS):
        return None
    if int(several["top"].sum()) < _KEPT * int(several["len"].sum()):
        return None
    # The same groups in every window: by a hash of their own, not by how often they occur.
    label = pl.concat_str([pl.col(part).cast(pl.String) for part in by], separator=", ")
    labelled = dict(several.select(label, pl.col(name).cast(pl.String)).iter_rows())
    chosen = heapq.nsmallest(_MOST_GROUPS, labelled, key=lambda group: (zlib.crc32(group.encode()), group))
    return {group: labelled[group] for group in chosen}
