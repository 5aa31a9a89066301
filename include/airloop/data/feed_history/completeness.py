"""Is all there? Days without a row, days with far fewer than usual, rows of one feed without their row in another."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from airloop.data.feed_history.blocks import Block
from airloop.data.feed_history.sketch import Sketch

_LEAST_ROWS_A_DAY = 10
_LEAST_ROWS = 20
_LEAST_DAYS = 5
_OPEN = 0.7
_GONE = 0.35
"""A day with less than this share of the usual partners has lost a file."""
_LOST_BEFORE = 0.05
_LOW, _LOW_DAYS = 0.05, 0.3
_TWO_WEEKS = 14
_STEADY_WINDOWS, _STEADY, _STEADY_DEVIATIONS, _LESS = 12, 0.8, 6.0, 0.75
_FEWER, _FEWER_DAYS = 0.6, 0.3
_CHANCE_OF_ONE, _CHANCE_OF_SEVERAL = 5.0, 3.0
_MAD_TO_SD = 1.4826
_LEAST_WINDOWS = 2
_UNKNOWN = 0.005
_HARDLY = 0.1
_SURPRISE, _LEAST_SURPRISE = 5.0, 0.15


@dataclass(frozen=True)
class Share:
    """A share of a window against the same share of the past."""

    observed: float
    expected: float


def missing_days(past: Mapping[str, int], window: Mapping[str, int], days: Sequence[date]) -> list[date]:
    """The days of `days` without a row, on weekdays that so far always had rows.

    Without a past, the window's other days of the same weekday speak for it: most of them have to have rows.

    Args:
        past: Local day -> rows, of earlier windows that lie side by side up to this one; {} for none.
        days: The days to judge.
    """
    before = {date.fromisoformat(day): rows for day, rows in past.items()}
    now = {date.fromisoformat(day): rows for day, rows in window.items()}
    rows = [*before.values(), *now.values()]
    if len(rows) < _LEAST_DAYS or np.median(rows) < _LEAST_ROWS_A_DAY:
        return []
    spoken_for = list(_days(min(before), max(before))) if before else days
    begun = min(before or now)
    always = {weekday for weekday in range(7) if _mostly_there({**before, **now}, spoken_for, weekday)}
    return [day for day in days if day > begun and day not in now and day not in before and day.weekday() in always]


def _mostly_there(rows: Mapping[date, int], days: Sequence[date], weekday: int) -> bool:
    there = [day in rows for day in days if day.weekday() == weekday]
    return sum(there) > _OPEN * len(there)


def fewer_rows(past: Mapping[str, int], window: Mapping[str, int], days: Sequence[date]) -> Share | None:
    """Rows a day against the same weekdays of the four weeks before, where many of `days` have far fewer."""
    known = {date.fromisoformat(day): rows for day, rows in past.items()}
    if len(known) < 2 * _LEAST_DAYS or not days:
        return None
    by_chance = _CHANCE_OF_ONE if len(days) == 1 else _CHANCE_OF_SEVERAL
    usual = [ratio for day in known if (ratio := _ratio(known, day, known[day], by_chance)) is not None]
    ratios = [ratio for day in days if (ratio := _ratio(known, day, window.get(str(day), 0), by_chance)) is not None]
    if len(usual) < _LEAST_DAYS or not ratios or np.mean([ratio < _FEWER for ratio in usual]) > _LOST_BEFORE:
        return None
    low = [ratio for ratio in ratios if ratio < _FEWER]
    if len(low) < max(_FEWER_DAYS * len(ratios), 1 if len(ratios) == 1 else 2):
        return None
    return Share(float(np.median(ratios)), 1.0)


def fewer_than_ever(past: Sequence[int], rows: int) -> Share | None:
    """Rows against those of the windows before, where each of these had about as many: of a steady source, any part.

    Args:
        past: Rows of each earlier window as long as this one.
    """
    if len(past) < _STEADY_WINDOWS:
        return None
    least, usual = min(past), float(np.median(past))
    if usual < _LEAST_ROWS or least < _STEADY * usual or rows >= _LESS * least:
        return None
    return Share(float(rows), usual) if usual - rows > _STEADY_DEVIATIONS * float(np.std(past)) else None


def lost_days(past: Sequence[Sketch], window: Sketch) -> list[tuple[str, Share]]:
    """The first days of the blocks whose rows have hardly a partner, where the past's had."""
    before = _shares(past)
    usual = float(np.median(before)) if len(before) >= _LEAST_DAYS else 0.0
    if usual < _GONE or np.mean([share < _GONE * usual for share in before]) > _LOST_BEFORE:
        return []
    return [(block.day, Share(share, usual)) for block, share in _by_block(window) if share < _GONE * usual]


def fewer_partners(past: Sequence[Sketch], window: Sketch) -> Share | None:
    """The share of rows with a partner, where it is lower than usual on many days of the window."""
    before, now = _shares(past), [share for _, share in _by_block(window)]
    if len(before) < _LEAST_DAYS or not now:
        return None
    usual = float(np.median(before))
    spread = _MAD_TO_SD * float(np.median(np.abs(np.array(before) - usual)))
    # Some bad days in a row are what a storm makes too.
    long = len(now) >= _TWO_WEEKS
    least = usual - max(_LOW, 5 * spread) if long else min(usual - 2 * _LOW, usual - 8 * spread)
    if len(now) == 1:
        least = min(least, min(before) - 3 * _LOW)
    low = [share for share in now if share < least]
    needed = (_LOW_DAYS if long else 2 * _LOW_DAYS) * len(now)
    return Share(float(np.median(now)), usual) if low and len(low) >= needed else None


def unknown_keys(past: Sequence[Sketch], window: Sketch) -> Share | None:
    """The share of rows of the second feed without a row in the first, where it is higher than it ever was."""
    before = [orphans / rows for sketch in past for rows, orphans in [sketch.orphans] if rows >= _LEAST_ROWS]
    rows, orphans = window.orphans
    if len(before) < _LEAST_WINDOWS or rows < _LEAST_ROWS:
        return None
    usual = max(before)
    allowed = usual + max(_UNKNOWN, 5 * float(np.sqrt(usual / rows)), 5 * float(np.std(before)))
    more = orphans / rows > allowed and orphans - usual * rows >= _LEAST_ROWS / 2
    return Share(orphans / rows, float(np.median(before))) if more else None


def more_partners(past: Sequence[Sketch], window: Sketch) -> Share | None:
    """The share of rows without a partner, where there were always some and hardly any is left."""
    before = [1 - sum(sketch.matched) / sketch.rows for sketch in past if sketch.rows >= _LEAST_ROWS]
    if len(before) < _LEAST_WINDOWS or not window.rows:
        return None
    least, now = min(before), 1 - sum(window.matched) / window.rows
    if least * window.rows < _LEAST_ROWS or now > _HARDLY * least:
        return None
    return Share(now, least)


def not_at_random(past: Sequence[Sketch], window: Sketch) -> list[tuple[str, str, Share]]:
    """Numeric columns of the first feed whose outer tenth lacks partners, beyond what all rows lack, as it never did.

    Returns:
        (column, "lowest" or "highest", share of that tenth without a partner).
    """
    lacking = []
    for column in window.tails:
        for name in ("lowest", "highest"):
            excess = [value for sketch in past if (value := _excess(sketch, column, name)) is not None]
            now = _excess(window, column, name)
            if now is None or not excess:
                continue
            noise = 0.5 / np.sqrt(_tail(window, column, name)[0])
            if now > max(excess) + max(_LEAST_SURPRISE, _SURPRISE * noise):
                shares = [missing / rows for rows, missing in (_tail(sketch, column, name) for sketch in past) if rows]
                rows, missing = _tail(window, column, name)
                lacking.append((column, name, Share(missing / rows, float(np.mean(shares)))))
    return lacking


def _tail(sketch: Sketch, column: str, name: str) -> tuple[int, int]:
    counts = sketch.tails.get(column, (0, 0, 0, 0))
    return (counts[0], counts[1]) if name == "lowest" else (counts[2], counts[3])


def _excess(sketch: Sketch, column: str, name: str) -> float | None:
    """How much larger the share without a partner is in an outer tenth than over all rows."""
    rows, missing = _tail(sketch, column, name)
    if rows < _LEAST_ROWS:
        return None
    return missing / rows - (1 - sum(sketch.matched) / sketch.rows)


def _days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def _ratio(known: Mapping[date, int], day: date, rows: int, by_chance: float) -> float | None:
    """Rows against the median of the same weekday in the four weeks before; None where too few are known.

    Args:
        by_chance: So many square roots of what is usual (Poisson) are granted to chance.
    """
    before = [known[other] for weeks in range(1, 5) if (other := day - timedelta(weeks=weeks)) in known]
    usual = float(np.median(before)) if before else 0.0
    if usual < _LEAST_ROWS:
        return None
    return rows / usual if usual - rows > by_chance * np.sqrt(usual) else 1.0


def _by_block(sketch: Sketch) -> list[tuple[Block, float]]:
    pairs = zip(sketch.blocks, sketch.matched, strict=True)
    return [(block, matched / block.rows) for block, matched in pairs if block.rows >= _LEAST_ROWS]


def _shares(past: Sequence[Sketch]) -> list[float]:
    return [share for sketch in past for _, share in _by_block(sketch)]
