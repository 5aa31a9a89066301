"""Which events of a stream came lately, and how far each entity has come: what is a duplicate, and what is late.

The first sight of an event decides, and is remembered by the event's content: the same content under another id was
sent again; under the same id it is delivered again, and is judged as it was.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from airloop.settings import Settings
from airloop.stores import state
from airloop.stores.tables import stream_entities, stream_events

_AT_ONCE = 400  # SQLite takes some thousand values in a statement


@dataclass(frozen=True)
class Arrival:
    """An event as it is judged.

    Attributes:
        content: Digest of what the producer sent.
        entity: What the event is about, as text; empty where nothing is ordered by it.
        happened_at: Its event time.
    """

    content: str
    event_id: str
    arrived_at: datetime
    entity: str
    happened_at: datetime


@dataclass(frozen=True)
class Verdict:
    """What the first sight of an event decided.

    Attributes:
        first_id: The id under which the content came first.
        late: Whether something newer about the same entity had come before: event time < the newest one.
    """

    first_id: str
    late: bool


def admit(settings: Settings, pipeline: str, feed: str, arrivals: Sequence[Arrival]) -> dict[str, Verdict]:
    """Content -> the verdict on it; what was not seen before is judged in this order and remembered, in one go.

    Raises:
        UpstreamUnavailable: The state database does not answer.
    """
    with state.transaction(settings) as connection:
        events, entities = _Events(connection, pipeline, feed), _Entities(connection, pipeline, feed)
        known = events.known([one.content for one in arrivals])
        newest = entities.newest([one.entity for one in arrivals if one.entity])
        before, fresh = dict(newest), []
        for one in arrivals:
            if one.content in known:
                continue
            happened, reached = state.instant_text(one.happened_at), newest.get(one.entity, "")
            known[one.content] = Verdict(one.event_id, bool(one.entity) and happened < reached)
            fresh.append(one)
            if one.entity:
                newest[one.entity] = max(happened, reached)
        events.remember(fresh, known)
        entities.remember(before, newest)
    return known


def forget(settings: Settings, pipeline: str, feed: str, *, hours: float) -> int:
    """Forget events that arrived longer ago; how many those were. How far an entity has come stays."""
    until = state.instant_text(datetime.now(UTC) - timedelta(hours=hours))
    old = sa.and_(
        stream_events.c.pipeline == pipeline, stream_events.c.feed == feed, stream_events.c.arrived_at < until
    )
    with state.transaction(settings) as connection:
        return int(connection.execute(stream_events.delete().where(old)).rowcount)


@dataclass(frozen=True)
class _Events:
    connection: sa.Connection
    pipeline: str
    feed: str

    def known(self, contents: Sequence[str]) -> dict[str, Verdict]:
        table, verdicts = stream_events.c, {}
        for part in _parts(contents):
            query = sa.select(table.content, table.event_id, table.late).where(
                table.pipeline == self.pipeline, table.feed == self.feed, table.content.in_(part)
            )
            verdicts.update(
                {content: Verdict(first, bool(late)) for content, first, late in self.connection.execute(query)}
            )
        return verdicts

    def remember(self, fresh: Sequence[Arrival], known: dict[str, Verdict]) -> None:
        rows: list[dict[str, Any]] = [
            {"pipeline": self.pipeline, "feed": self.feed, "content": one.content, "event_id": one.event_id}
            | {"late": int(known[one.content].late), "arrived_at": state.instant_text(one.arrived_at)}
            for one in fresh
        ]
        if rows:
            self.connection.execute(stream_events.insert(), rows)


@dataclass(frozen=True)
class _Entities:
    connection: sa.Connection
    pipeline: str
    feed: str

    def newest(self, names: Sequence[str]) -> dict[str, str]:
        """Entity -> the newest event time that came."""
        table, by_entity = stream_entities.c, {}
        for part in _parts(names):
            query = sa.select(table.entity, table.newest_at).where(
                table.pipeline == self.pipeline, table.feed == self.feed, table.entity.in_(part)
            )
            by_entity.update({entity: str(newest) for entity, newest in self.connection.execute(query)})
        return by_entity

    def remember(self, before: dict[str, str], now: dict[str, str]) -> None:
        place = {"pipeline": self.pipeline, "feed": self.feed}
        added = [{**place, "entity": name, "newest_at": at} for name, at in now.items() if name not in before]
        moved = [{"e": name, "at": at} for name, at in now.items() if name in before and before[name] != at]
        if added:
            self.connection.execute(stream_entities.insert(), added)
        if moved:
            table = stream_entities.c
            where = sa.and_(table.pipeline == self.pipeline, table.feed == self.feed, table.entity == sa.bindparam("e"))
            self.connection.execute(stream_entities.update().where(where).values(newest_at=sa.bindparam("at")), moved)


def _parts(values: Sequence[str]) -> list[list[str]]:
    distinct = list(dict.fromkeys(values))
    return [distinct[start : start + _AT_ONCE] for start in range(0, len(distinct), _AT_ONCE)]
