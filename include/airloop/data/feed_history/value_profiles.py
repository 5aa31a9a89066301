"""Do names still stand for what they stood for? Two customers whose codes were exchanged buy each other's goods.

A profile of a value is what the rows that have it say in another text column. A value whose profile is no longer its
own and is that of another one has changed places with it, whatever the season did to both.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import polars as pl

Profiles = Mapping[str, Mapping[str, Mapping[str, int]]]

FEWEST, MOST = 2, 30
_MOST_COLUMNS, _MOST_OTHERS = 6, 15
_LEAST_ROWS = 50
_LEAST_WINDOWS = 2
_OWN, _MORE, _USUAL = 0.5, 0.3, 0.5
_LEAST_SHARE = 0.05


def find(rows: pl.DataFrame, columns: Sequence[str]) -> dict[str, dict[str, dict[str, int]]]:
    """`column by other` -> value -> its commonest values of the other column, with their rows."""
    few = [name for name in columns[:_MOST_COLUMNS] if FEWEST <= rows[name].drop_nulls().n_unique() <= MOST]
    by_pair = {}
    for name in few:
        for other in columns[:_MOST_COLUMNS]:
            if other != name:
                by_pair[f"{name} by {other}"] = profiles(rows.select(name, other).drop_nulls(), name, other)
    return {name: values for name, values in by_pair.items() if values}


def profiles(rows: pl.DataFrame, name: str, other: str) -> dict[str, dict[str, int]]:
    """Value of a text column -> its commonest values of another column, with their rows."""
    counts = rows.with_columns(pl.all().cast(pl.String)).group_by(name, other).len()
    ordered = counts.sort(["len", other], descending=[True, False]).group_by(name, maintain_order=True)
    return {str(value): dict(part.select(other, "len").head(_MOST_OTHERS).iter_rows()) for (value,), part in ordered}


def changed_places(past: Sequence[Profiles], window: Profiles, column: str) -> tuple[str, str] | None:
    """Two values of a column that have each other's profile; None where no two have, or too few rows do."""
    for name, now in window.items():
        before = [earlier[name] for earlier in past if name in earlier]
        if not name.startswith(f"{column} by ") or len(before) < _LEAST_WINDOWS:
            continue
        values = dict.fromkeys(value for item in before for value in item)
        pooled = {value: _sum(item.get(value, {}) for item in before) for value in values}
        moved = {value: like for value in now if (like := _like_another(value, now[value], pooled, before))}
        pairs = [(value, like) for value, like in moved.items() if moved.get(like) == value]
        rows = sum(sum(now[value].values()) for value, _ in pairs)
        if pairs and rows >= _LEAST_SHARE * sum(sum(item.values()) for item in now.values()):
            return min(pairs)
    return None


def _like_another(
    value: str,
    now: Mapping[str, int],
    pooled: Mapping[str, Mapping[str, int]],
    before: Sequence[Mapping[str, Mapping[str, int]]],
) -> str:
    """The other value whose past profile this one has now; empty where it has its own, or never had a steady one."""
    if value not in pooled or min(sum(now.values()), sum(pooled[value].values())) < _LEAST_ROWS:
        return ""
    usual = min(_overlap(item.get(value, {}), pooled[value]) for item in before)
    own = _overlap(now, pooled[value])
    other = max((item for item in pooled if item != value), key=lambda item: _overlap(now, pooled[item]), default="")
    if not other or usual < _USUAL or own >= _OWN * usual:
        return ""
    return other if _overlap(now, pooled[other]) > own + _MORE else ""


def _sum(profiles: Iterable[Mapping[str, int]]) -> Mapping[str, int]:
    total: Counter[str] = Counter()
    for profile in profiles:
        total.update(profile)
    return total


def _overlap(one: Mapping[str, int], other: Mapping[str, int]) -> float:
    """The share that two profiles have in common: 1 for equal ones, 0 where they share nothing."""
    if not one or not other:
        return 0.0
    rows = sum(one.values()), sum(other.values())
    return sum(min(count / rows[0], other.get(name, 0) / rows[1]) for name, count in one.items())
