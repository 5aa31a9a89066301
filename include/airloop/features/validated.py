"""Which windows have features that were built and validated since: by the records of their stages.

A record counts as long as the lake holds what it says was written: one that was restored from a backup may not.
"""

from datetime import datetime
from typing import Any

from airloop.config import Pipeline
from airloop.config.dag_ids import dag_of
from airloop.errors import UpstreamUnavailable
from airloop.records import BuiltFeatures, Validated, Window
from airloop.settings import Settings
from airloop.stores import lake, state


def require(pipeline: Pipeline, span: Window, settings: Settings) -> None:
    """Refuse to read features that were not built, or built and not validated since.

    Raises:
        UpstreamUnavailable: Names the first instant of `span` that no validated window covers.
    """
    reached = until(pipeline, span, settings)
    if reached < span.end:
        raise UpstreamUnavailable(
            f"{pipeline.name} {span}: features are not built and validated from {reached:%Y-%m-%dT%H:%MZ} on; "
            f"run {dag_of(pipeline.name, 'data')} for that window first"
        )


def until(pipeline: Pipeline, span: Window, settings: Settings) -> datetime:
    """The first instant from span.start (or the coverage's, when later) on that no validated window covers."""
    reached = max(span.start, pipeline.coverage.start)
    for part in spans(pipeline, span, settings):
        if part.start <= reached:
            reached = max(reached, part.end)
    return reached


def spans(pipeline: Pipeline, span: Window, settings: Settings) -> tuple[Window, ...]:
    """The parts of a span whose features are built and validated, oldest first; neighbours are one part.

    What lies before the coverage has no window to build and counts as part of what follows it. Of what was built later
    over other bounds and is not validated, the features are no longer those of the earlier windows within.
    """
    place = (settings, pipeline.name)
    built = _newest_by_window(BuiltFeatures, state.latest_records(*place, "build_features", overlapping=span))
    checked = _newest_by_window(Validated, state.latest_records(*place, "validate_features", overlapping=span))
    known = lake.newest((view for record in built.values() for view in record.views), settings)
    good: list[Window] = []
    for window, record in built.items():
        if (
            window in checked
            and checked[window].tables == record.views
            and not lake.fallen_behind(record.views, settings, known)
        ):
            good.append(window)
        else:
            good = [part for earlier in good for part in _without(earlier, window)]
    parts: list[Window] = []
    for window in sorted(good, key=lambda item: (item.start, item.end)):
        if parts and window.start <= parts[-1].end:
            parts[-1] = Window(parts[-1].start, max(parts[-1].end, window.end))
        else:
            parts.append(window)
    cut = (Window(max(part.start, span.start), min(part.end, span.end)) for part in parts)
    first = max(span.start, pipeline.coverage.start)
    return tuple(Window(span.start, part.end) if part.start <= first else part for part in cut)


def _without(window: Window, hole: Window) -> tuple[Window, ...]:
    if hole.end <= window.start or window.end <= hole.start:
        return (window,)
    before, after = (window.start, min(window.end, hole.start)), (max(window.start, hole.end), window.end)
    return tuple(Window(start, end) for start, end in (before, after) if start < end)


def _newest_by_window(kind: Any, rows: list[dict[str, Any]]) -> dict[Window, Any]:
    """The newest record of each window, in the order in which they were made."""
    newest: dict[Window, Any] = {}
    for record in map(kind.from_json, rows):
        newest.pop(record.window, None)
        newest[record.window] = record
    return newest
