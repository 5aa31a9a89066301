"""How much of a window may be set aside, missing or lost before it fails, and what is noticed below that."""

import logging
from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from datetime import date

from airloop.config import Pipeline
from airloop.data import closed_days, empty_windows
from airloop.data.feed_days import FeedDays, history, judge_days
from airloop.data.feed_rows import FeedRows
from airloop.data.repeated_keys import repeated_keys
from airloop.errors import DataContractError
from airloop.records import Alarm, Window
from airloop.settings import Settings
from airloop.stores.landed_files import file_span, list_files

logger = logging.getLogger(__name__)

_SHOWN = 5


@dataclass(frozen=True)
class Noticed:
    """What ingestion says of a window that goes on; see records.Ingested."""

    alarms: tuple[Alarm, ...]
    missing_days: tuple[str, ...]
    short_days: tuple[str, ...]
    replaced: dict[str, int]
    empty: dict[str, str]


def judge(
    pipeline: Pipeline, window: Window, feeds: Mapping[str, FeedRows], counts: Mapping[str, int], settings: Settings
) -> Noticed:
    """Hold what landed against the bounds of `validation`.

    Args:
        counts: Files of each feed, those set aside included.

    Raises:
        DataContractError: A feed is beyond a bound; names files or days, the first causes and the way out.
    """
    problems = [*_set_aside(pipeline, feeds, counts), *_lost(pipeline, feeds)]
    past = {name: history(pipeline, name, window, settings) for name, feed in pipeline.feeds.items() if not feed.static}
    days = {
        name: judge_days(pipeline, name, window, landed=feeds[name].days if name in feeds else {}, past=before)
        for name, before in past.items()
    }
    strangers = {name: _strangers(pipeline, name, settings) for name, of_feed in days.items() if of_feed.missing}
    problems += _stalled(pipeline, days, strangers)
    empty = empty_windows.why_empty(pipeline, counts, feeds)
    closed = _closed(feeds, past, {day for of_feed in days.values() for day in of_feed.missing})
    if problems:
        raise DataContractError(
            f"{pipeline.name} {window}: too little of it can be read, nothing was written:\n" + "\n".join(problems)
        )
    return Noticed(
        alarms=(
            *_missing_alarms(pipeline, {name: _without(of_feed, closed) for name, of_feed in days.items()}, strangers),
            *_short_alarms(pipeline, days),
            *(alarm for name in feeds for alarm in repeated_keys(pipeline, name, window, feeds[name], settings)),
        ),
        missing_days=tuple(f"{name} {day}" for name, of_feed in days.items() for day in of_feed.missing),
        short_days=tuple(
            f"{name} {item.day}: {item.rows} rows, usually {item.usual:g}"
            for name, of_feed in days.items()
            for item in of_feed.short
        ),
        replaced={name: rows.replaced.replaced for name, rows in feeds.items() if rows.replaced.replaced},
        empty=empty,
    )


def _closed(
    feeds: Mapping[str, FeedRows], past: Mapping[str, Mapping[date, int]], missing: Set[date]
) -> frozenset[date]:
    """Days on which nothing happened; none where a file that cannot be read may be one of theirs."""
    if any(rows.set_aside for rows in feeds.values()):
        return frozenset()
    closed = closed_days.find({name: feeds[name].days if name in feeds else {} for name in past}, past, missing)
    if closed:
        logger.info("no feed has a file of %s: days on which nothing happened", _listed(sorted(map(str, closed))))
    return closed


def _without(of_feed: FeedDays, closed: frozenset[date]) -> FeedDays:
    return replace(of_feed, missing=tuple(day for day in of_feed.missing if day not in closed))


def _beyond(count: int, share: float, of: int) -> bool:
    # One file of few is not a share of anything.
    return count > max(1, share * of)


def _set_aside(pipeline: Pipeline, feeds: Mapping[str, FeedRows], counts: Mapping[str, int]) -> list[str]:
    bound = pipeline.validation.max_set_aside_share
    return [
        f"  {len(rows.set_aside)} of {counts[name]} files of {name} are set aside, more than "
        f"validation.max_set_aside_share {bound:g}; land them again, or raise the bound:\n"
        + _listed([f"    {item.why}" for item in rows.set_aside], "    ")
        for name, rows in feeds.items()
        if _beyond(len(rows.set_aside), bound, counts[name])
    ]


def _lost(pipeline: Pipeline, feeds: Mapping[str, FeedRows]) -> list[str]:
    bound = pipeline.validation.max_lost_share
    return [
        f"  {rows.replaced.replaced} of {sum(rows.days.values())} rows of {name} would be "
        f"replaced by rows of other events under their keys, more than validation.max_lost_share {bound:g}, first "
        f"{rows.replaced.example}; give each row a key of its own, or raise the bound"
        for name, rows in feeds.items()
        if _beyond(rows.replaced.replaced, bound, sum(rows.days.values()))
    ]


def _strangers(pipeline: Pipeline, name: str, settings: Settings) -> str:
    """What lies in a feed's folder under names nobody declared, in words; empty where there is nothing."""
    feed = pipeline.feeds[name]
    names = [
        file.name for file in list_files(pipeline, settings) if file.feed == name and file_span(feed, file.name) is None
    ]
    if not names:
        return ""
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f" ({names[-1]}{more} in its folder {'are' if more else 'is'} not named like {feed.files}, and not read)"


def _stalled(pipeline: Pipeline, days: Mapping[str, FeedDays], strangers: Mapping[str, str]) -> list[str]:
    bound = pipeline.validation.max_missing_share
    return [
        f"  the feed {name} stalled: {len(of_feed.missing)} of {of_feed.expected} days have no file that can be read, "
        f"more than validation.max_missing_share {bound:g}: {_listed(list(map(str, of_feed.missing)))}"
        f"{strangers[name]}; land them (with the header alone where nothing happened), or raise the bound"
        for name, of_feed in days.items()
        if not pipeline.feeds[name].outcome and _beyond(len(of_feed.missing), bound, of_feed.expected)
    ]


def _missing_alarms(pipeline: Pipeline, days: Mapping[str, FeedDays], strangers: Mapping[str, str]) -> list[Alarm]:
    return [
        Alarm(
            kind="files_missing",
            subject=name,
            says=f"{len(of_feed.missing)} of {of_feed.expected} days of {name} have no file that can be read: "
            f"{_listed(list(map(str, of_feed.missing)))} (days of "
            f"{pipeline.feeds[name].day_timezone}){strangers[name]}; land them",
            observed=float(len(of_feed.missing)),
            expected=0.0,
        )
        for name, of_feed in days.items()
        if of_feed.missing
    ]


def _short_alarms(pipeline: Pipeline, days: Mapping[str, FeedDays]) -> list[Alarm]:
    bound, alarms = pipeline.validation.max_missing_share, []
    for name, of_feed in days.items():
        many = len(of_feed.short) > bound * max(1, of_feed.expected)
        elsewhere = {item.day for other in days if other != name for item in days[other].short}
        # What happened (a storm) is seen in several feeds, a file that was cut in one.
        telling = [item for item in of_feed.short if many or item.day not in elsewhere]
        if telling:
            first = ", ".join(f"{item.day}: {item.rows} rows, usually {item.usual:g}" for item in telling[:_SHOWN])
            rows, usual = (sum(value) for value in zip(*((item.rows, item.usual) for item in telling), strict=True))
            alarms.append(
                Alarm(
                    kind="file_cut",
                    subject=name,
                    says=f"{len(telling)} days of {name} hold far fewer rows than the same weekday has ({first}): were "
                    "their files cut off? Land them whole, or answer that it was so",
                    observed=float(rows),
                    expected=float(usual),
                    holds_training=many,
                )
            )
    return alarms


def _listed(items: list[str], indent: str = "") -> str:
    mark = "\n" if indent else ", "
    more = [f"{indent}... and {len(items) - _SHOWN} more"] if len(items) > _SHOWN else []
    return mark.join([*items[:_SHOWN], *more])
