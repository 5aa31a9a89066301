"""What people are asked about, what each of them answered, and what that came to.

An item is settled by the first answer where one person is asked. Of two people the second settles it where both say the
same; where they differ a third person's answer counts, whatever it is. Nobody answers twice, and nobody sees what
others said before it is settled.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from airloop.errors import GuardRefused
from airloop.records import Record
from airloop.records.digests import digest
from airloop.settings import Settings
from airloop.stores import state
from airloop.stores.tables import review_answers, review_items

PREDICTION, ROW = "prediction", "row"
DROP = "drop"
"""An answer: leave it as it is (a row stays in quarantine, a prediction gets no outcome)."""

_ID_LENGTH = 16
_MOST_PEOPLE = 3


@dataclass(frozen=True)
class Item(Record):
    """One question.

    Attributes:
        kind: `prediction` or `row`.
        why: Why it is asked: `low_confidence`, `disagreeing`, `random` or `quarantined`.
        feed: Where the answer lands.
        content: What a person is shown, and what is needed to land the answer.
        people: How many answer, unless they differ.
        about_at: The instant it is about.
        answer: What it came to as JSON; empty while it is open.
        landed_as: Files that hold the answer; empty until it has landed.
        problem: Why the answer cannot land; empty where nothing is wrong.
    """

    id: str
    pipeline: str
    kind: str
    why: str
    feed: str
    content: dict[str, Any]
    people: int
    about_at: str
    asked_at: str = ""
    answer: str = ""
    landed_as: str = ""
    problem: str = ""

    def said(self) -> dict[str, Any]:
        """What the answer holds, by field; empty while there is none, and where it is to be left as it is."""
        values = json.loads(self.answer) if self.answer else {}
        return values if isinstance(values, dict) else {}


@dataclass(frozen=True)
class Answer(Record):
    """What one person said.

    Attributes:
        place: 1 for the first answer of an item.
    """

    item: str
    place: int
    person: str
    answer: Any
    answered_at: str


def item_id(pipeline: str, kind: str, identity: Mapping[str, Any]) -> str:
    """Equal for the same thing, so that it is asked about once."""
    return digest([pipeline, kind, dict(identity)])[:_ID_LENGTH]


def add(settings: Settings, items: Sequence[Item]) -> int:
    """Ask about what was not asked about before; how many those are."""
    asked_at, added = state.instant_text(datetime.now(UTC)), 0
    with state.transaction(settings) as connection:
        for item in items:
            there = sa.select(review_items.c.id).where(review_items.c.id == item.id)
            if connection.execute(there).first() is None:
                row = item.to_json() | {"content": json.dumps(item.content), "asked_at": asked_at}
                connection.execute(review_items.insert().values(**row))
                added += 1
    return added


def asked_on(settings: Settings, pipeline: str, since: datetime) -> dict[str, int]:
    """Day (UTC) -> predictions that are about it and were asked about."""
    day = sa.func.substr(review_items.c.about_at, 1, 10)
    where = sa.and_(
        review_items.c.pipeline == pipeline,
        review_items.c.kind == PREDICTION,
        review_items.c.about_at >= state.instant_text(since),
    )
    with state.reading(settings) as connection:
        by_day = connection.execute(sa.select(day, sa.func.count()).where(where).group_by(day))
        return {str(name): int(count) for name, count in by_day}


def open_items(settings: Settings, pipeline: str, person: str, *, limit: int = 50) -> list[Item]:
    """What this person can answer: open, and not answered by it yet; the newest first."""
    answered = sa.select(review_answers.c.item).where(review_answers.c.person == person)
    where = sa.and_(
        review_items.c.pipeline == pipeline, review_items.c.answer == "", review_items.c.id.not_in(answered)
    )
    return _items(settings, where, limit)


def settled(settings: Settings, pipeline: str, *, limit: int = 50) -> list[Item]:
    """What is answered, the newest first."""
    return _items(settings, sa.and_(review_items.c.pipeline == pipeline, review_items.c.answer != ""), limit)


def to_land(settings: Settings, pipeline: str) -> list[Item]:
    """What is answered and neither landed nor refused."""
    where = sa.and_(
        review_items.c.pipeline == pipeline,
        review_items.c.answer != "",
        review_items.c.landed_as == "",
        review_items.c.problem == "",
    )
    return _items(settings, where, None)


def every(settings: Settings, pipeline: str, *, limit: int | None = None) -> list[Item]:
    """The items of a pipeline, the newest first; all of them unless limited."""
    return _items(settings, review_items.c.pipeline == pipeline, limit)


def item(settings: Settings, pipeline: str, name: str) -> Item:
    """One item.

    Raises:
        GuardRefused: The pipeline has none of this id.
    """
    rows = _items(settings, sa.and_(review_items.c.pipeline == pipeline, review_items.c.id == name), 1)
    if not rows:
        raise GuardRefused(f"{pipeline} has no review item {name[:_ID_LENGTH]!r}; airloop review list {pipeline}")
    return rows[0]


def answers(settings: Settings, items: Iterable[str]) -> dict[str, list[Answer]]:
    """Item -> what people said, in order."""
    item_ids, by_item = list(items), dict[str, list[Answer]]()
    with state.reading(settings) as connection:
        for start in range(0, len(item_ids), 500):
            query = sa.select(review_answers).where(review_answers.c.item.in_(item_ids[start : start + 500]))
            for row in connection.execute(query.order_by(review_answers.c.item, review_answers.c.place)):
                answer = Answer(row.item, row.place, row.person, json.loads(row.answer), row.answered_at)
                by_item.setdefault(row.item, []).append(answer)
    return by_item


def say(settings: Settings, pipeline: str, name: str, person: str, answer: Any) -> Item:
    """Keep what a person answers, and settle the item where that is enough; the item as it is then.

    Raises:
        GuardRefused: No such item, it is settled, or this person answered it already.
        UpstreamUnavailable: The state database does not answer.
    """
    text = json.dumps(answer, sort_keys=True)
    with state.transaction(settings) as connection:
        query = sa.select(review_items).where(review_items.c.pipeline == pipeline, review_items.c.id == name)
        row = connection.execute(query).first()
        if row is None:
            raise GuardRefused(f"{pipeline} has no review item {name[:_ID_LENGTH]!r}; airloop review list {pipeline}")
        mine = sa.select(review_answers).where(review_answers.c.item == name).order_by(review_answers.c.place)
        before = list(connection.execute(mine))
        if row.answer:
            raise GuardRefused(f"review item {name} is settled already: {row.answer}")
        if any(one.person == person for one in before):
            raise GuardRefused(f"{person} answered review item {name} already; another person has to say what counts")
        at = state.instant_text(datetime.now(UTC))
        values = {"item": name, "place": len(before) + 1, "person": person, "answer": text, "answered_at": at}
        connection.execute(review_answers.insert().values(**values))
        came_to = outcome([*(one.answer for one in before), text], int(row.people))
        if came_to:
            connection.execute(review_items.update().where(review_items.c.id == name).values(answer=came_to))
    return item(settings, pipeline, name)


def outcome(texts: Sequence[str], people: int) -> str:
    """What answers, in order, come to; empty while another person is needed."""
    if len(texts) < people:
        return ""
    if len(set(texts[:people])) == 1:
        return texts[0]
    return texts[_MOST_PEOPLE - 1] if len(texts) >= _MOST_PEOPLE else ""


def mark(settings: Settings, name: str, *, landed_as: str = "", problem: str = "") -> None:
    """Note that an answer has landed, or why it cannot."""
    with state.transaction(settings) as connection:
        values = {"landed_as": landed_as[:300], "problem": problem}
        connection.execute(review_items.update().where(review_items.c.id == name).values(**values))


def _items(settings: Settings, where: Any, limit: int | None) -> list[Item]:
    query = sa.select(review_items).where(where).order_by(review_items.c.about_at.desc(), review_items.c.id)
    with state.reading(settings) as connection:
        rows = list(connection.execute(query.limit(limit) if limit else query))
    return [Item(**{**row._mapping, "content": json.loads(row.content)}) for row in rows]
