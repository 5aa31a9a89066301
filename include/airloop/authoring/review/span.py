"""What a review runs over: as many whole calendar periods as one training with its holdout needs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from airloop.config import Pipeline, calendar_windows
from airloop.records import Window
from airloop.settings import Settings
from airloop.stores import landed_files
from airloop.stores.landed_files import ListedFile

_SPARE_SHARE = 0.25
_COUNTED_FILES = 7
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Span:
    """The windows of a review, oldest first, without a gap, and where the files for them lie.

    Attributes:
        landing_uri: A copy below the review's folder; every declaration of a review reads the same files.
        source: Where the files come from, in words.
    """

    windows: tuple[Window, ...]
    landing_uri: str
    source: str

    @property
    def whole(self) -> Window:
        """`[first start, last end)`; its end is the cutoff."""
        return Window(self.windows[0].start, self.windows[-1].end)

    @property
    def cutoff(self) -> datetime:
        """The end of the last window."""
        return self.windows[-1].end


def days_needed(pipeline: Pipeline, rows_a_day: float | None) -> int:
    """Days of data for one training with its holdout.

    Training days + embargo_days + holdout_days + the label delay. Training takes as many days as min_train_rows need, a
    quarter to spare, and at least lookback_days (before that the features look back on nothing), as many as the
    holdout, and in each of its folds more than an embargo.

    Args:
        rows_a_day: Labelled rows; None when they are not known.
    """
    training = pipeline.training
    rows = training.min_train_rows * (1 + _SPARE_SHARE)
    train = max(
        math.ceil(rows / rows_a_day) if rows_a_day else 0,
        pipeline.features.lookback_days,
        training.holdout_days,
        (training.budget.folds + 1) * (training.embargo_days + 1),
    )
    delay = math.ceil(pipeline.prediction.label_delay / _DAY)
    return train + training.embargo_days + training.holdout_days + delay


def rows_a_day(pipeline: Pipeline, files: Sequence[ListedFile], settings: Settings) -> float | None:
    """Lines of a landed day, the mean of seven files spread over those there are; None when none tells.

    Counted are the files of the outcomes that carry the entity key, one line per label; without such a feed those of
    the first feed that carries it. A key made of several columns is carried by none: then of the first outcomes.
    """
    key = pipeline.prediction.entity_key
    keyed = [name for name, feed in pipeline.feeds.items() if key in feed.columns and not feed.static]
    counted = next(
        iter([name for name in keyed if pipeline.feeds[name].outcome] or keyed or pipeline.outcome_feeds), None
    )
    days = [file for file in files if file.feed == counted]
    chosen = days[:: max(1, len(days) // _COUNTED_FILES)]
    lines = [landed_files.read_bytes(file.uri, settings).count(b"\n") - 1 for file in chosen]
    return sum(lines) / len(lines) if sum(lines) else None


def first_periods(pipeline: Pipeline, days: int) -> tuple[Window, ...]:
    """The periods that cover the first `days` of the coverage; fewer when it ends before."""
    start, end = pipeline.coverage.start, pipeline.coverage.end
    until = start + timedelta(days=days)
    return _periods(pipeline, Window(start, until if end is None else min(until, end)))


def newest_periods(pipeline: Pipeline, files: Sequence[ListedFile], days: int) -> tuple[Window, ...]:
    """The newest periods of which every feed has landed, `days` long or a little more; fewer when less has landed."""
    landed = _landed(pipeline, files)
    if landed is None:
        return ()
    # A first local day may begin hours after the period it opens.
    whole = [w for w in _periods(pipeline, landed) if landed.start <= w.start + _DAY and w.end <= landed.end]
    chosen: list[Window] = []
    for window in reversed(whole):
        if covers(chosen, days):
            break
        chosen.insert(0, window)
    return tuple(chosen)


def covers(windows: Sequence[Window], days: int) -> bool:
    """Whether windows without a gap are `days` long."""
    return bool(windows) and windows[-1].end - windows[0].start >= timedelta(days=days)


def _periods(pipeline: Pipeline, span: Window) -> tuple[Window, ...]:
    # Two months of hours would be more than a thousand windows.
    calendar = "daily" if pipeline.calendar == "hourly" else pipeline.calendar
    start, end = pipeline.coverage.start, pipeline.coverage.end
    inside = [w for w in calendar_windows(calendar, span) if w.end > start and (end is None or w.start < end)]
    return tuple(Window(max(w.start, start), w.end if end is None else min(w.end, end)) for w in inside)


def _landed(pipeline: Pipeline, files: Sequence[ListedFile]) -> Window | None:
    """From the first day of the feed that starts last to the last day of the feed that ends first."""
    starts, ends = [], []
    for name, feed in pipeline.feeds.items():
        spans = [landed_files.file_span(feed, file.name) for file in files if file.feed == name]
        known = [span for span in spans if span is not None]
        if feed.static:
            continue
        if not known:
            return None
        starts.append(min(span.start for span in known))
        ends.append(max(span.end for span in known))
    return Window(max(starts), min(ends)) if starts and max(starts) < min(ends) else None
