"""An event as a row of its feed: every column there and surely of its type, or a reason why it is a dead letter."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from airloop.config.nearest import nearest
from airloop.errors import DataContractError
from airloop.sources import database_lines
from airloop.sources.brokers.broker import Event
from airloop.sources.streams.declared import Stream
from airloop.stores import landed_files

MOST_BYTES = 256 * 1024
_SHOWN, _LONGEST_ENTITY = 80, 300


@dataclass(frozen=True)
class Row:
    """An event that can land.

    Attributes:
        values: In the order of the feed's columns; instants as datetimes, `late` not yet known.
        content: Digest of what was sent.
        entity: What it is about; empty where nothing is declared.
        file: Name of the file of its period, as declared.
    """

    event: Event
    values: tuple[Any, ...]
    content: str
    entity: str
    happened_at: datetime
    file: str


def read(event: Event, stream: Stream) -> Row:
    """The row of an event.

    Raises:
        DataContractError: It cannot be one; the message names column and value.
    """
    feed, late = stream.declared, stream.options.late
    filled = {str(feed.known_at): event.arrived_at} | ({late: False} if late else {})
    sent = _object(event.payload)
    _refuse_columns(sent, list(feed.columns), tuple(filled))
    for name in (*feed.key, *stream.options.entity):
        if sent[name] in (None, ""):
            raise DataContractError(f"column {name!r} is part of the key, and has no value")
    whole = sent | filled
    # What landing would refuse is refused here: the line is made as for a database's row.
    database_lines.line(stream.feed, feed, [whole[name] for name in feed.columns])
    texts = {
        name: None if value is None else database_lines.text_of(feed.columns[name], value)
        for name, value in sent.items()
    }
    values = {name: _value(kind, whole[name]) for name, kind in feed.columns.items()}
    happened: datetime = values[str(feed.event_time)]
    _refuse_time(happened, event, stream)
    entity = json.dumps([texts[name] for name in stream.options.entity]) if stream.options.entity else ""
    if len(entity) > _LONGEST_ENTITY:
        raise DataContractError(
            f"columns {', '.join(stream.options.entity)} have more than {_LONGEST_ENTITY} characters"
        )
    return Row(
        event=event,
        values=tuple(values.values()),
        content=hashlib.sha256(json.dumps(texts, sort_keys=True).encode()).hexdigest(),
        entity=entity,
        happened_at=happened,
        file=landed_files.name_at(feed, happened),
    )


def marked(row: Row, stream: Stream, *, late: bool) -> Row:
    """The row with its column `late` filled, where one is declared."""
    if stream.options.late is None:
        return row
    at = list(stream.declared.columns).index(stream.options.late)
    return replace(row, values=(*row.values[:at], late, *row.values[at + 1 :]))


def line(row: Row, stream: Stream) -> str:
    """The row's line of a landing file."""
    return database_lines.line(stream.feed, stream.declared, row.values)


def newest_by_key(rows: Iterable[Row], stream: Stream) -> list[Row]:
    """Of each key the row that came last, in the order of the stream."""
    columns = list(stream.declared.columns)
    places = [columns.index(name) for name in stream.declared.key]
    newest = {tuple(row.values[place] for place in places): row for row in rows}
    return sorted(newest.values(), key=lambda row: row.event.position)


def _object(payload: bytes | None) -> dict[str, Any]:
    if payload is None:
        raise DataContractError("has no field `event`, or was removed before it was read: write one, with JSON in it")
    if len(payload) > MOST_BYTES:
        raise DataContractError(f"has {len(payload)} bytes, more than {MOST_BYTES}")
    try:
        event = json.loads(payload.decode(), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise DataContractError(f"is not JSON in UTF-8: {str(error)[:_SHOWN]}") from None
    if not isinstance(event, dict):
        raise DataContractError(f"is a {type(event).__name__}, not an object of the feed's columns")
    return event


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise DataContractError(f"names {twice[:_SHOWN]!r} twice, and nothing says which one is meant")
    return fields


def _refuse_columns(sent: dict[str, Any], columns: list[str], filled: tuple[str, ...]) -> None:
    own_columns = [name for name in columns if name not in filled]
    for name in filled:
        if name in sent:
            raise DataContractError(f"brings {name!r}, which airloop fills when the event arrives: leave it out")
    unknown = [name for name in sent if name not in own_columns]
    if unknown:
        raise DataContractError(
            f"has {unknown[0][:_SHOWN]!r}, which the feed lacks{nearest(unknown[0], own_columns)} "
            f"(columns: {', '.join(own_columns)})"
        )
    missing = [name for name in own_columns if name not in sent]
    if missing:
        raise DataContractError(f"lacks column {missing[0]!r}: send null where it is not known")


def _value(kind: str, value: Any) -> Any:
    if value is None or kind != "timestamp":
        return str(value) if kind == "string" and value is not None else value
    return database_lines.instant(value)


def _refuse_time(happened: datetime, event: Event, stream: Stream) -> None:
    name, coverage = stream.declared.event_time, stream.pipeline.coverage
    latest = event.arrived_at + timedelta(minutes=stream.options.ahead_minutes)
    if happened > latest:
        # Else one wrong clock would end all windows until then.
        raise DataContractError(
            f"column {name!r} is {happened:%Y-%m-%dT%H:%M:%SZ}, more than {stream.options.ahead_minutes:g} minutes "
            f"after it arrived ({event.arrived_at:%Y-%m-%dT%H:%M:%SZ}): is the producer's clock right?"
        )
    if not coverage.holds(happened):
        raise DataContractError(f"column {name!r} is {happened:%Y-%m-%dT%H:%M:%SZ}, outside of the pipeline's coverage")
