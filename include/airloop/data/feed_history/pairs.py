"""Two feeds that share their key: which rows of the first have one in the second, and how far apart their times lie."""

import itertools
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from airloop.config import Feed
from airloop.data.feed_history import agreements, explained_rates, relations, told_outcomes, value_profiles
from airloop.data.feed_history.blocks import counted, split
from airloop.data.feed_history.sketch import Sketch
from airloop.data.feed_history.sketches import numeric_columns, said_columns, texts_of, time_differences, timestamps
from airloop.records import Window

_LONGEST_LAG = 0.99
_OUTERMOST = 0.001
_TENTH = 0.1
_PARTNER = "__partner"


def related(feeds: Mapping[str, Feed]) -> Iterator[tuple[str, str]]:
    """The pairs of dated feeds with one and the same key, in order of declaration, outcomes second."""
    dated = [name for name, feed in feeds.items() if not feed.static]
    ordered = sorted(dated, key=lambda name: feeds[name].outcome)
    for first, second in itertools.combinations(ordered, 2):
        keys = [{name: feeds[feed].columns[name] for name in feeds[feed].key} for feed in (first, second)]
        if keys[0] == keys[1]:
            yield first, second


def sketch_pair(
    names: tuple[str, str], feeds: Mapping[str, Feed], rows: Mapping[str, pl.DataFrame], window: Window
) -> Sketch | None:
    """Rows of the first feed by local day with and without a partner; None where no row had the time to get one.

    Rows so late in the window that their partner may fall behind its end, or behind the newest row of the second feed
    (which lands later), are left out: all of them while the second feed has only begun to land. Numbers are minutes,
    like `arrivals.arrived_at - schedule.scheduled_arrival`.
    """
    (first, second), key = names, list(feeds[names[0]].key)
    one, other = feeds[first], feeds[second]
    left = rows[first].rename({name: f"{first}.{name}" for name in one.columns if name not in key})
    right = rows[second].rename({name: f"{second}.{name}" for name in other.columns if name not in key})
    if not left.height or not right.height:
        return None
    columns = [*key, *(f"{second}.{name}" for name in other.columns if name not in key)]
    joined = left.join(right.select(*columns, pl.lit(value=True).alias(_PARTNER)), on=key, how="left")
    times = _name(first, one.event_time, key), _name(second, other.event_time, key)
    orphans = _orphans(joined, right.join(left, on=key, how="anti"), right, times)
    if times[0] != times[1]:
        joined = joined.filter(pl.col(times[0]) <= _horizon(joined, times, right[times[1]].max(), window))
    if not joined.height:
        return None
    pairs = [
        (_name(first, earlier, key), _name(second, later, key))
        for earlier in timestamps(one)
        for later in timestamps(other)
        if not (earlier in key or later in key)
    ]
    days = joined[times[0]].dt.convert_time_zone(one.day_timezone).dt.date()
    between = time_differences(pairs, joined)
    matched = joined[_PARTNER].is_not_null()
    blocks = split(between, days, between.columns)
    numbers = [[f"{feed}.{name}" for name in numeric_columns(feeds[feed])] for feed in names]
    values = pl.concat([joined, between], how="horizontal")
    return Sketch(
        blocks=blocks,
        relations=relations.find(values, numbers[1], [*numbers[0], *between.columns])
        | relations.find(values, numbers[0], between.columns),
        agreements=agreements.find(values, [*numbers[0], *numbers[1]], between.columns),
        matched=counted(matched, days, blocks),
        orphans=orphans,
        tails={name: _tails(joined[_name(first, name, key)], matched) for name in numeric_columns(one)},
        **(_of_outcome(joined.sort(times[0]), names, feeds, key) if other.outcome and not one.outcome else {}),
    )


def _of_outcome(
    joined: pl.DataFrame, names: tuple[str, str], feeds: Mapping[str, Feed], key: list[str]
) -> dict[str, Any]:
    """What an outcome has to do with the inputs beside it.

    Args:
        joined: In the order of time.
    """
    return {
        "known": _known(joined, names, feeds, key),
        "profiles": _by_name(joined, names, feeds, key),
        "sample": _sample(joined, names, feeds, key),
    }


def _sample(
    joined: pl.DataFrame, names: tuple[str, str], feeds: Mapping[str, Feed], key: list[str]
) -> explained_rates.Sample | None:
    inputs = [_name(names[0], name, key) for name in numeric_columns(feeds[names[0]])]
    return explained_rates.sample_of(
        joined, inputs, {_name(names[1], name, key): name for name in said_columns(feeds[names[1]])}
    )


def _known(
    joined: pl.DataFrame, names: tuple[str, str], feeds: Mapping[str, Feed], key: list[str]
) -> dict[str, tuple[float, int]]:
    inputs = {
        "numbers": [_name(names[0], name, key) for name in numeric_columns(feeds[names[0]])],
        "texts": [_name(names[0], name, key) for name in texts_of(feeds[names[0]]) if name not in key],
    }
    return told_outcomes.find(joined, inputs, [_name(names[1], name, key) for name in said_columns(feeds[names[1]])])


def _by_name(
    joined: pl.DataFrame, names: tuple[str, str], feeds: Mapping[str, Feed], key: list[str]
) -> dict[str, dict[str, dict[str, int]]]:
    """`input by outcome`: of each name of an input its outcomes, where both have few values."""
    texts = [_name(names[0], name, key) for name in texts_of(feeds[names[0]]) if name not in key]
    outcomes = [_name(names[1], name, key) for name in said_columns(feeds[names[1]])]
    few = {name for name in (*texts, *outcomes) if _are_few(joined[name])}
    return {
        f"{text} by {outcome}": value_profiles.profiles(joined.select(text, outcome).drop_nulls(), text, outcome)
        for text in texts
        for outcome in outcomes
        if {text, outcome} <= few
    }


def _are_few(values: pl.Series) -> bool:
    return value_profiles.FEWEST <= values.drop_nulls().n_unique() <= value_profiles.MOST


def _name(feed: str, column: str | None, key: list[str]) -> str:
    return str(column) if column in key else f"{feed}.{column}"


def _horizon(joined: pl.DataFrame, times: tuple[str, str], newest: object, window: Window) -> datetime:
    end = min(window.end, newest) if isinstance(newest, datetime) else window.end
    lags = (joined[times[1]] - joined[times[0]]).drop_nulls().dt.total_seconds()
    lag = max(0.0, (lags.quantile(_LONGEST_LAG) if lags.len() else None) or 0.0)
    begun = joined[times[0]].min()
    # Of a span not much longer than the lags only the short ones are seen, and the rows with long ones look lost.
    if isinstance(begun, datetime) and lag > (end - begun).total_seconds() / 2:
        return begun - timedelta(microseconds=1)
    return end - timedelta(seconds=lag)


def _orphans(joined: pl.DataFrame, alone: pl.DataFrame, right: pl.DataFrame, times: tuple[str, str]) -> tuple[int, int]:
    """Rows of the second feed whose row in the first should be in this window, and those of them without one.

    A row of the first lies a lag before its partner: what would lie outside of the first's rows is not judged.
    """
    if times[0] == times[1]:
        return right.height, alone.height
    lags = (joined[times[1]] - joined[times[0]]).drop_nulls().dt.total_seconds()
    begun, ended = joined[times[0]].min(), joined[times[0]].max()
    # The outermost lags may be errors themselves.
    shortest, longest = (lags.quantile(share) for share in (_OUTERMOST, 1 - _OUTERMOST))
    if shortest is None or longest is None or not isinstance(begun, datetime) or not isinstance(ended, datetime):
        return 0, 0
    due = pl.col(times[1]).is_between(begun + timedelta(seconds=longest), ended + timedelta(seconds=shortest))
    return right.filter(due).height, alone.filter(due).height


def _tails(values: pl.Series, matched: pl.Series) -> tuple[int, int, int, int]:
    """Rows and those without partner: of the lowest tenth, then of the highest."""
    low, high = values.quantile(_TENTH), values.quantile(1 - _TENTH)
    if low is None or high is None or low == high:
        return (0, 0, 0, 0)
    lowest, highest = (values <= low).fill_null(value=False), (values >= high).fill_null(value=False)
    return (
        int(lowest.sum()), int((lowest & ~matched).sum()), int(highest.sum()), int((highest & ~matched).sum())
    )  # fmt: skip
