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

FIXES = " -> "
"""Between what fixes an attribute and the attribute; names may hold blanks."""

_MOST_GROUPS, _FEWEST_GROUPS = 200, 5
_MOST_DETERMINANTS = 6
_KEPT = 0.99
"""Share of the rows that have their group's commonest value, for a column to count as fixed."""
_LEAST_ROWS = 30
_LEAST_ROWS_A_GROUP = 4
_CHANGED = 0.5
_LEAST_WINDOWS, _BROKEN = 2, 0.03


@dataclass(frozen=True)
class Changed:
    """A fixed attribute that changed.

    Attributes:
        column: The attribute; `by` what fixed it.
        share: Share of the groups seen before whose value is another now; of the rows, where groups have several.
        example: One of them, in words.
    """

    column: str
    by: str
    share: float
    example: str


@dataclass(frozen=True)
class Fixed:
    """Rules `origin, dest -> distance_miles` of a window.

    Attributes:
        values: Each rule that holds -> each group's value, for the fewest columns that fix an attribute. Groups are few
            hundred, the same ones in every window; of a static table they are its keys.
        broken: Each rule that does not -> the share of rows with another value than most of their group has, and a
            group with both.
    """

    values: dict[str, dict[str, str]]
    broken: dict[str, tuple[float, str]]


def find(feed: Feed, rows: pl.DataFrame) -> Fixed:
    """What fixes the attributes of a window's rows."""
    fixed = Fixed({}, {})
    if rows.height < _LEAST_ROWS:
        return fixed
    for name in _attributes(feed, rows):
        for by in _determinants(feed, rows, name):
            rule, values = f"{', '.join(by)}{FIXES}{name}", _values(rows, by, name, alone=by == feed.key)
            if isinstance(values, dict):
                fixed.values[rule] = values
                break
            if values is not None:
                fixed.broken[rule] = values
    return fixed


def no_longer(past: Sequence[Mapping[str, object]], broken: Mapping[str, tuple[float, str]]) -> list[Changed]:
    """The attributes that were fixed in every one of two past windows or more, and have several values a group now.

    Args:
        past: `Fixed.values` of earlier windows, oldest first; `broken` of this one.
    """
    if len(past) < _LEAST_WINDOWS:
        return []
    return [
        Changed(rule.partition(FIXES)[2], rule.partition(FIXES)[0], share, example)
        for rule, (share, example) in broken.items()
        if share > _BROKEN and all(rule in earlier for earlier in past)
    ]


def changed(past: Sequence[Mapping[str, Mapping[str, str]]], window: Mapping[str, Mapping[str, str]]) -> list[Changed]:
    """The attributes that were fixed in every past window and have another value for most groups now.

    Args:
        past: `Fixed.values` of earlier windows, oldest first.
    """
    changes = []
    for rule in past[-1] if past else {}:
        earlier_values = [earlier[rule] for earlier in past if rule in earlier]
        now = window.get(rule)
        if now is None or not _stable(earlier_values):
            continue
        before = {group: value for earlier in earlier_values for group, value in earlier.items()}
        compared = [group for group in now if group in before]
        different = [group for group in compared if now[group] != before[group]]
        if len(compared) >= _FEWEST_GROUPS and len(different) >= _CHANGED * len(compared):
            by, _, column = rule.partition(FIXES)
            first = different[0]
            changes.append(
                Changed(column, by, len(different) / len(compared), f"{first}: {before[first]} is {now[first]} now")
            )
    return changes


def _stable(earlier_values: Sequence[Mapping[str, str]]) -> bool:
    """Whether the groups kept their values from window to window: what changes each month is not fixed."""
    for earlier, later in itertools.pairwise(earlier_values):
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


def _values(
    rows: pl.DataFrame, by: tuple[str, ...], name: str, *, alone: bool
) -> dict[str, str] | tuple[float, str] | None:
    """Each group's commonest value; where it is not fixed, how many rows have another one, and a group that has both.

    None where too few rows or groups say anything. `alone`: a group is one row, as in a static table.
    """
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
    label = pl.concat_str([pl.col(part).cast(pl.String) for part in by], separator=", ")
    rows_in_all, agreeing = int(several["len"].sum()), int(several["top"].sum())
    if agreeing < _KEPT * rows_in_all:
        return 1 - agreeing / rows_in_all, _both_values(counts, several, by, name, label)
    # The same groups in every window: by a hash of their own, not by how often they occur.
    labelled = dict(several.select(label, pl.col(name).cast(pl.String)).iter_rows())
    chosen = heapq.nsmallest(_MOST_GROUPS, labelled, key=lambda group: (zlib.crc32(group.encode()), group))
    return {group: labelled[group] for group in chosen}


def _both_values(counts: pl.DataFrame, groups: pl.DataFrame, by: tuple[str, ...], name: str, label: pl.Expr) -> str:
    """The group in which most rows have another value than the commonest, with its two commonest values."""
    others = groups.with_columns((pl.col("len") - pl.col("top")).alias("others"))
    worst = others.sort("others", *by, descending=[True, *(False for _ in by)]).head(1)
    values = counts.join(worst.select(by), on=list(by)).sort("len", name, descending=[True, False])[name]
    return f"{worst.select(label).item()}: {values[0]} and {values[1]}"
