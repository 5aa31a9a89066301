"""Which windows a replay takes: every whole one of the calendar between two dates that has data."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airloop.config import Pipeline, calendar_windows
from airloop.config.calendar import period_start, spanned, stretches
from airloop.data import inbox
from airloop.errors import ConfigError, DataContractError
from airloop.records import Window, parse_instant
from airloop.settings import Settings
from airloop.stores import landed_files

if TYPE_CHECKING:
    from airloop.sources.replay import Replay


@dataclass(frozen=True)
class Reach:
    """The whole calendar windows for which there are data, oldest first, and what ends them, in words."""

    windows: tuple[Window, ...]
    ends_by: str

    @property
    def span(self) -> Window:
        """From the first window's start to the last one's end."""
        return Window(self.windows[0].start, self.windows[-1].end)


def reach(pipeline: Pipeline, settings: Settings) -> Reach:
    """Every whole window inside `coverage` that the replay's source, or what has landed, covers.

    Raises:
        ConfigError: There is none: nothing has landed and no `replay` is declared, or less than a window.
        UpstreamUnavailable: The landing folder cannot be listed.
    """
    end, ends_by = _data_end(pipeline, settings)
    start = pipeline.coverage.start
    windows = calendar_windows(pipeline.calendar, Window(start, end)) if start < end else ()
    whole = tuple(window for window in windows if start <= window.start and window.end <= end)
    if not whole:
        raise ConfigError(
            f"{pipeline.name}: no whole {pipeline.calendar} window lies between coverage.start {_text(start)} and "
            f"{_text(end)} ({ends_by}): land more of its past, or declare a shorter `calendar`"
        )
    return Reach(whole, ends_by)


def windows_between(pipeline: Pipeline, start: str, end: str, within: Reach) -> tuple[Window, ...]:
    """The windows of `[start, end)`.

    Args:
        start: A day (midnight UTC) or an instant with its offset, the start of a window; empty for the first one.
        end: Likewise the end of a window; empty for the last one.

    Raises:
        ConfigError: No date, reversed, off the calendar, or beyond the data; names the nearest date that is none.
    """
    starts, ends = [w.start for w in within.windows], [w.end for w in within.windows]
    first = _bound(pipeline, "--from", start, starts, within) if start else starts[0]
    last = _bound(pipeline, "--to", end, ends, within) if end else ends[-1]
    if first >= last:
        nearest = next(bound for bound in ends if bound > first)
        swapped = f"swap them, or write --to {_text(nearest)}"
        raise ConfigError(f"--from {_text(first)} does not lie before --to {_text(last)}: {swapped} or later")
    return tuple(window for window in within.windows if first <= window.start and window.end <= last)


def by_look(pipeline: Pipeline, windows: Sequence[Window], settings: Settings) -> tuple[Window, ...]:
    """The windows joined up to the next look of monitoring: nothing is decided in between.

    Raises:
        ConfigError: A feature reads an outcome feed. In life it sees the outcomes of the windows before; joined, those
            land after the scoring, and the champion would be judged on features that it never saw.
    """
    # DuckDB and Arrow: seconds that every other command would wait.
    from airloop.features import sections

    reads = sections.feeds_read(pipeline, sections.feature_sections(pipeline, settings))
    outcomes = sorted(set(reads) & set(pipeline.outcome_feeds))
    if outcomes:
        raise ConfigError(
            f"--by-look: features.sql of {pipeline.name} makes features of {outcomes[0]}, an outcome feed, so what is "
            f"scored depends on the outcomes of the window before: leave --by-look out, each window is then taken alone"
        )
    return joined(pipeline, windows)


def joined(pipeline: Pipeline, windows: Sequence[Window]) -> tuple[Window, ...]:
    """Windows that follow each other, joined where they start in the same look of monitoring."""
    every = pipeline.calendar_of("monitoring")
    return tuple(map(spanned, stretches(windows, lambda window: period_start(every, window.start))))


def _parse(text: str, option: str) -> datetime:
    try:
        return parse_instant(text)
    except DataContractError as error:
        raise ConfigError(f"{option}: {error}; a day like 2013-01-31 is its midnight UTC") from error


def _bound(pipeline: Pipeline, option: str, text: str, valid: Sequence[datetime], within: Reach) -> datetime:
    instant, span = _parse(text, option), within.span
    if instant in valid:
        return instant
    nearest = f"{option} {_text(min(valid, key=lambda bound: abs(bound - instant)))}"
    if instant < span.start:
        raise ConfigError(
            f"{option} {text} lies before the data of {pipeline.name}, which begin {_text(span.start)} "
            f"(coverage.start in pipeline.yaml); the nearest is {nearest}"
        )
    if instant > span.end:
        raise ConfigError(
            f"{option} {text} lies after the data of {pipeline.name}, which end {_text(span.end)} ({within.ends_by}); "
            f"the nearest is {nearest}"
        )
    if period_start(pipeline.calendar, instant) == instant:
        where = "the end of the data" if option == "--from" else "the beginning of the data"
        raise ConfigError(f"{option} {text} is {where} of {pipeline.name}; the nearest is {nearest}")
    word = "starts" if option == "--from" else "ends"
    raise ConfigError(f"no {pipeline.calendar} window of {pipeline.name} {word} at {text}; the nearest is {nearest}")


def _data_end(pipeline: Pipeline, settings: Settings) -> tuple[datetime, str]:
    declared = pipeline.coverage.end
    if pipeline.replay is not None:
        source = upstream(pipeline)
        covered = source.coverage[1]
        return (declared, "coverage.end in pipeline.yaml") if declared else (covered, f"what {source.name} covers")
    if any(feed.fetched for feed in pipeline.feeds.values()):
        # The clock decides only what to refuse: a window that is not over is not fetched.
        now = datetime.now(UTC)
        return (declared, "coverage.end in pipeline.yaml") if declared and declared <= now else (now, "today")
    landed = inbox.data_time(pipeline, landed_files.list_files(pipeline, settings))
    if landed is None:
        raise ConfigError(
            f"{pipeline.name}: no file has landed below {settings.landing_uri}/{pipeline.name}, and pipeline.yaml "
            f"names no `replay`: land its past first (airloop land {pipeline.name} FEED table.csv)"
        )
    if declared and declared <= landed:
        return declared, "coverage.end in pipeline.yaml"
    return landed, "the newest file that landed"


def upstream(pipeline: Pipeline) -> "Replay":
    """The source that `replay` in pipeline.yaml names."""
    from airloop.config.attribute import resolve

    source: Replay = resolve(str(pipeline.replay))()
    return source


def _text(instant: datetime) -> str:
    midnight = instant.time() == datetime.min.time()
    return f"{instant:%Y-%m-%d}" if midnight else f"{instant:%Y-%m-%dT%H:%M:%SZ}"
