"""Where a backtest's features come from: what the installation has built, or a place of its own."""

from collections.abc import Callable
from datetime import datetime

from airloop.authoring.backtest.calendar import first_cutoff, windows_of
from airloop.authoring.backtest.past import Past, read_past
from airloop.authoring.review.backtest import at_work, build
from airloop.authoring.review.declaration import current_files, pin
from airloop.authoring.review.files import gather
from airloop.authoring.review.span import newest_periods
from airloop.config import Pipeline
from airloop.config.calendar import Calendar
from airloop.errors import DataContractError
from airloop.features import validated
from airloop.records import Window
from airloop.settings import Settings
from airloop.stores import landed_files

_FEWEST_LIVE_WINDOWS = 2


def past_of(pipeline: Pipeline, settings: Settings, *, every: Calendar, on_progress: Callable[[str], None]) -> Past:
    """The installation's own features where they reach far enough, read and nothing written.

    Else files that landed, or that the pipeline's `replay` lands, go through the data stages in a home below
    `<home>/backtest/<name>`; a second backtest of the same declaration finds them built.

    Raises:
        DataContractError: Less has landed, or is replayed, than a first training and two windows after it need.
    """
    start = pipeline.coverage.start
    end = pipeline.coverage.end or datetime.max.replace(tzinfo=start.tzinfo)
    reached = min(validated.until(pipeline, Window(start, end), settings), end)
    if _enough(pipeline, start, reached, every):
        on_progress(f"features of this installation, {start:%Y-%m-%d} to {reached:%Y-%m-%d}")
        return read_past(pipeline, Window(start, reached), settings)
    return _built_apart(pipeline, settings, every=every, on_progress=on_progress)


def _enough(pipeline: Pipeline, start: datetime, end: datetime, every: Calendar) -> bool:
    if end <= start:
        return False
    windows = windows_of(every, Window(start, end))
    first = first_cutoff(pipeline, windows)
    return first is not None and sum(window.start >= first for window in windows) >= _FEWEST_LIVE_WINDOWS


def _built_apart(
    pipeline: Pipeline, settings: Settings, *, every: Calendar, on_progress: Callable[[str], None]
) -> Past:
    folder = settings.home / "backtest" / pipeline.name
    landed = newest_periods(pipeline, landed_files.list_files(pipeline, settings), days=10**6)
    there = Window(landed[0].start, landed[-1].end) if landed else None
    if there is None or not _enough(pipeline, there.start, there.end, every):
        there = _replayable(pipeline, there, settings)
    if not _enough(pipeline, there.start, there.end, every):
        raise DataContractError(_too_little(pipeline, there, settings))
    on_progress(f"files of {there.start:%Y-%m-%d} to {there.end:%Y-%m-%d}")
    span = gather(pipeline, settings, folder, days=(there.end - there.start).days)
    pinned = pin(pipeline.name, current_files(pipeline.name, settings.project_dir), settings, folder)
    declared = at_work(pinned, span, folder)
    build(declared, span, on_progress=on_progress)
    return read_past(declared.pipeline, span.whole, declared.settings)


def _replayable(pipeline: Pipeline, landed: Window | None, settings: Settings) -> Window:
    if pipeline.replay is None or pipeline.coverage.end is None:
        raise DataContractError(_too_little(pipeline, landed, settings))
    return Window(pipeline.coverage.start, pipeline.coverage.end)


def _too_little(pipeline: Pipeline, there: Window | None, settings: Settings) -> str:
    days = f"{(there.end - there.start).days} days" if there else "nothing"
    return (
        f"{pipeline.name}: {days} of whole {pipeline.calendar} periods below {settings.landing_uri}: a backtest needs "
        f"a first training (holdout {pipeline.training.holdout_days} days, and as long before it) and at least "
        f"{_FEWEST_LIVE_WINDOWS} windows after it: land more, declare a `replay` with coverage.end, or take shorter "
        "windows by --every"
    )
