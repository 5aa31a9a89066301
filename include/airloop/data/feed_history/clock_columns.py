"""Does a column still say what a clock says? The hour of the day, the weekday, the day of the month of an instant.

Counted from 1 instead of 0, from Sunday instead of Monday, on a clock of twelve hours or of another zone, it keeps its
range, its rows and its type, and each of its values means something else.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import pairwise

import polars as pl

from airloop.config import Feed

_PARTS = {"hour": 24, "weekday": 7, "day": 31}
"""Part of an instant -> after how many it begins again."""
_OF, SAYS = " of ", " -> "
_FEWEST, _MOST = 5, 60
_LEAST_ROWS = 20
_HOLDS, _BROKEN = 0.995, 0.97
_LEAST_WINDOWS = 2
_DIFFERENT = 0.5

Mapped = Mapping[str, str]
"""Value of the part -> what the column says for it."""


@dataclass(frozen=True)
class Clocked:
    """Rules `weekday of begins_at in UTC -> day` of a window.

    Attributes:
        values: Each rule that holds -> what the column says for each value of the part.
        broken: Each other one -> the share of the rows that say what most of their part do.
    """

    values: dict[str, dict[str, str]]
    broken: dict[str, float]


@dataclass(frozen=True)
class Other:
    """A column that says another thing of its clock, or nothing any more: `observed` and `expected` shares of rows."""

    column: str
    says: str
    observed: float
    expected: float


def find(feed: Feed, rows: pl.DataFrame, columns: Sequence[str], instants: Sequence[str]) -> Clocked:
    """Which columns say a part of which instant, in the feed's own zone or in UTC."""
    clocked = Clocked({}, {})
    few = [name for name in columns if rows.height >= _LEAST_ROWS and _FEWEST <= rows[name].n_unique() <= _MOST]
    for name in few:
        for instant in instants:
            for zone in dict.fromkeys(("UTC", feed.day_timezone)):
                for part in _PARTS:
                    _note(clocked, rows, name, (part, instant, zone))
    return clocked


def _note(clocked: Clocked, rows: pl.DataFrame, name: str, clock: tuple[str, str, str]) -> None:
    part, instant, zone = clock
    at = pl.col(instant).dt.convert_time_zone(zone).dt
    shown = {"hour": at.hour(), "weekday": at.weekday(), "day": at.day()}[part]
    both = rows.select(shown.cast(pl.Int64).alias("part"), pl.col(name).cast(pl.String).alias("says")).drop_nulls()
    counts = both.group_by("part", "says").len().sort("len", "says", descending=[True, False])
    most = counts.group_by("part", maintain_order=True).agg(pl.col("says").first())
    if both.height < _LEAST_ROWS or most.height < _FEWEST:
        return
    rule = f"{part}{_OF}{instant} in {zone}{SAYS}{name}"
    alike = counts.join(most.rename({"says": "most"}), on="part")
    agree = alike.filter(_is_like(part, pl.col("says"), pl.col("most")))
    share = float(agree["len"].sum()) / both.height
    if share >= _HOLDS and most["says"].n_unique() >= min(most.height, _FEWEST):
        clocked.values[rule] = {str(value): says for value, says in sorted(most.iter_rows())}
    else:
        clocked.broken[rule] = round(share, 5)


def _is_like(part: str, says: pl.Expr, most: pl.Expr) -> pl.Expr:
    """Whether a value is that of most; of hours the next one too, where the clocks change within the window."""
    same = says == most
    if part != "hour":
        return same
    apart = (says.cast(pl.Int64, strict=False) - most.cast(pl.Int64, strict=False)) % _PARTS[part]
    return same | apart.is_in([1, _PARTS[part] - 1]).fill_null(value=False)


def changed(past: Sequence[Mapping[str, Mapped]], window: Clocked, column: str) -> Other | None:
    """What a column says now of the clock whose part it always said; None where a rule still holds, or none ever did.

    An hour more or less for all of the day is what a summer clock does, and says nothing.

    Args:
        past: `Clocked.values` of earlier windows, oldest first.
    """
    rules = {rule for earlier in past for rule in earlier if rule.endswith(f"{SAYS}{column}")}
    steady = [rule for rule in sorted(rules) if _held(rule, past)]
    judged = [rule for rule in steady if rule in window.values or rule in window.broken]
    if not judged or len(judged) < len(steady):
        return None
    others = [_other(rule, [earlier[rule] for earlier in past], window) for rule in judged]
    return None if None in others else others[0]


def _held(rule: str, past: Sequence[Mapping[str, Mapped]]) -> bool:
    if len(past) < _LEAST_WINDOWS or not all(rule in earlier for earlier in past):
        return False
    values = {value for earlier in past for value in earlier[rule].values()}
    return all(_same(rule, earlier[rule], later[rule], values) for earlier, later in pairwise(past))


def _other(rule: str, past: Sequence[Mapped], window: Clocked) -> Other | None:
    before = past[-1]
    clock, _, column = rule.partition(SAYS)
    if rule in window.broken:
        share = window.broken[rule]
        says = f"no longer says the {clock}: {share:.0%} of the rows have what most of it have, before nearly all did"
        return Other(column, says, share, 1.0) if share < _BROKEN else None
    now = window.values[rule]
    if _same(rule, before, now, {value for earlier in past for value in earlier.values()}):
        return None
    different = [value for value in now if value in before and now[value] != before[value]]
    first = different[0]
    part, value = clock.partition(_OF)[0], first
    says = f"says the {clock} in another way: of {part} {value} it says {now[first]}, and said {before[first]}"
    return Other(column, says, len(different) / len(now), 0.0)


def _same(rule: str, before: Mapped, now: Mapped, ever: Set[str]) -> bool:
    """Whether a rule says what it said, or all of it an hour later with no hour that it never said."""
    common = [value for value in now if value in before]
    different = [value for value in common if now[value] != before[value]]
    if len(common) < _FEWEST or len(different) < _DIFFERENT * len(common):
        return True
    return rule.startswith("hour") and set(now.values()) <= ever and _by_an_hour(before, now, common)


def _by_an_hour(before: Mapped, now: Mapped, common: Sequence[str]) -> bool:
    try:
        apart = {(int(now[value]) - int(before[value])) % _PARTS["hour"] for value in common}
    except ValueError:
        return False
    return apart <= {0, 1} or apart <= {0, _PARTS["hour"] - 1}
