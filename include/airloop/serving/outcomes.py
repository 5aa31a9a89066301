"""An outcome somebody sends, as a row of the pipeline's outcome feed: every column there and of its type."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from airloop.config import Feed, Pipeline
from airloop.config.nearest import nearest
from airloop.serving.instants import sent_instant
from airloop.serving.refused import Refused, refuse_strange_text

_WORDS = {
    "string": "a text",
    "integer": "a whole number",
    "float": "a number",
    "boolean": "true or false",
    "timestamp": "an instant like 2013-02-01T00:00:00Z",
}
_INT64 = range(-(2**63), 2**63)
_FLOAT = sys.float_info.max
_LATEST = timedelta(days=366)
"""What is about something that is planned (an order that was cancelled) may lie ahead."""


@dataclass(frozen=True)
class OutcomeRow:
    """A row as it will land.

    Attributes:
        feed: Its feed.
        subject: What it is about: the feed's key columns as JSON.
        values: Column -> value, instants as text.
        day: Local day of the feed in which it happened, which names its file.
    """

    feed: str
    subject: str
    values: dict[str, Any]
    day: str


def outcome_feed(pipeline: Pipeline) -> tuple[str, Feed]:
    """The feed that outcomes of a pipeline land in.

    Raises:
        Refused: There is none, there are several and serving.feedback names none, or its files are not CSV.
    """
    names = pipeline.outcome_feeds
    declared = pipeline.serving.feedback
    if declared is not None and declared not in names:
        says = (
            f"{pipeline.name}/pipeline.yaml: serving.feedback: no outcome feed {declared!r}{nearest(declared, names)}"
        )
        raise Refused(409, "no_outcome_feed", f"{says} (outcome feeds: {', '.join(names) or 'none'})")
    if declared is None and len(names) != 1:
        says = f"{pipeline.name} has {len(names)} outcome feeds ({', '.join(names) or 'none'})"
        raise Refused(409, "no_outcome_feed", f"{says}, and serving.feedback names none")
    name = declared or names[0]
    if not pipeline.feeds[name].files.endswith(".csv"):
        says = f"feed {name!r} lands as {pipeline.feeds[name].files}, and feedback is written as CSV only"
        raise Refused(409, "no_outcome_feed", says)
    return name, pipeline.feeds[name]


def outcome_row(pipeline: Pipeline, entity: Mapping[str, Any], outcome: Any, time: str) -> OutcomeRow:
    """The row of one outcome.

    Args:
        entity: Keys of what it is about; those that the feed has as columns are taken from it.
        outcome: The value of the feed's only other column, or an object of its other columns.
        time: Value of the feed's event time.

    Raises:
        Refused: A column is missing, unknown (with the nearest) or of another type, or the time is not an instant, lies
            outside the pipeline's coverage, or more than a year ahead.
    """
    name, feed = outcome_feed(pipeline)
    happened = sent_instant(time, "time")
    _refuse_unread(pipeline, happened, time)
    row: dict[str, Any] = {column: entity[column] for column in feed.columns if column in entity}
    row[feed.event_time or ""] = time
    if feed.known_at and feed.known_at != feed.event_time:
        row[feed.known_at] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    sent = _sent(name, feed, row, outcome)
    values = {
        column: _value(column, kind, {**row, **sent}[column], key=column in feed.key)
        for column, kind in feed.columns.items()
    }
    subject = json.dumps({column: values[column] for column in feed.key}, sort_keys=True)
    day = happened.astimezone(ZoneInfo(feed.day_timezone)).date().isoformat()
    return OutcomeRow(name, subject, values, day)


def _refuse_unread(pipeline: Pipeline, happened: datetime, time: str) -> None:
    """Refuse an outcome whose file no window would ever read: taken, it would be lost without a word."""
    start, end = pipeline.coverage.start, pipeline.coverage.end
    if happened < start or (end is not None and happened >= end):
        until = f"{end:%Y-%m-%dT%H:%MZ}" if end else "no end"
        says = f"time: {time!r} lies outside the coverage of {pipeline.name}, {start:%Y-%m-%dT%H:%MZ} to {until}"
        raise Refused(422, "outside_coverage", f"{says}: no window would read the outcome", field="time", value=time)
    if happened > datetime.now(UTC) + _LATEST:
        says = f"time: {time!r} lies more than a year ahead: send when the outcome happened"
        raise Refused(422, "wrong_instant", says, field="time", value=time)


def _sent(name: str, feed: Feed, row: Mapping[str, Any], outcome: Any) -> dict[str, Any]:
    rest = [column for column in feed.columns if column not in row]
    if not isinstance(outcome, dict):
        if len(rest) != 1:
            says = f"feed {name!r} needs {', '.join(rest) or 'no other column'}: send outcome as an object of them"
            raise Refused(422, "wrong_outcome", says, field="outcome", value=outcome)
        return {rest[0]: outcome}
    for column in outcome:
        if column not in feed.columns or column == feed.event_time:
            says = f"feed {name!r} has no column {column!r} to send{nearest(column, rest)} (columns: {', '.join(rest)})"
            raise Refused(422, "wrong_outcome", says, field=f"outcome.{column}")
    for column in rest:
        if column not in outcome:
            says = f"feed {name!r} needs column {column!r}; send null where it is not known"
            raise Refused(422, "wrong_outcome", says, field=f"outcome.{column}")
    return outcome


def _value(column: str, kind: str, value: Any, *, key: bool) -> Any:
    if value is None and not key:
        return None
    fits = {
        "string": isinstance(value, str) and bool(value or not key),
        "integer": isinstance(value, int) and not isinstance(value, bool) and value in _INT64,
        "float": isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= _FLOAT,
        "boolean": isinstance(value, bool),
        "timestamp": isinstance(value, str),
    }
    if not fits[kind]:
        says = f"column {column!r} has to be {_WORDS[kind]}, not {type(value).__name__}"
        raise Refused(422, "wrong_type", says, field=f"outcome.{column}", value=value)
    if kind == "string":
        refuse_strange_text(f"outcome.{column}", value)
    if kind == "timestamp":
        return sent_instant(value, f"outcome.{column}").isoformat().replace("+00:00", "Z")
    return value
