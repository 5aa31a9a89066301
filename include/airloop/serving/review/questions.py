"""Ask people about predictions that are unsure, disputed or drawn by chance, and about rows in quarantine."""

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from airloop.config import Pipeline
from airloop.config.review import Review
from airloop.data import quarantine
from airloop.models import shadowed_rows
from airloop.problems import PREDICTION
from airloop.records import Scored, Window
from airloop.serving.collect import online_uri
from airloop.serving.outcomes import outcome_feed
from airloop.serving.review.shown import form_fields, rows_about
from airloop.serving.score import predictions_uri
from airloop.settings import Settings
from airloop.stores import lake, reviews, state
from airloop.stores.reviews import Item

logger = logging.getLogger(__name__)

RANDOM, DISAGREEING, LOW_CONFIDENCE, QUARANTINED = "random", "disagreeing", "low_confidence", "quarantined"
_FAR = datetime.max.replace(tzinfo=UTC) - timedelta(days=1)


@dataclass(frozen=True)
class Predicted:
    """A row that was predicted, by one version or several.

    Attributes:
        by: Version -> its prediction: a probability, a value, or the classes' probabilities.
    """

    entity: str
    decided_at: datetime
    by: dict[int, Any]

    @property
    def draw(self) -> float:
        """A number in [0, 1) made of key and instant: the same row is always drawn, or never."""
        text = f"{self.entity}\0{self.decided_at.isoformat()}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big") / 2**48

    def classes(self) -> set[int]:
        """The classes that the versions gave."""
        return {_class_of(value) for value in self.by.values()}

    def confidence(self) -> float:
        """The lowest probability that a version gave its most probable class."""
        return min(_confidence(value) for value in self.by.values())


def ask(pipeline: Pipeline, settings: Settings) -> int:
    """Put into the queue what the declaration asks about; how many items are new. The same again adds nothing.

    Raises:
        Refused: Answers would have no outcome feed to land in.
        UpstreamUnavailable: The lake or the state database does not answer.
    """
    declared = pipeline.review
    if declared is None:
        return 0
    items: list[Item] = []
    if declared.predictions:
        items += _about_predictions(pipeline, declared, settings)
    if declared.quarantined:
        items += _about_rows(pipeline, settings)
    added = reviews.add(settings, items)
    if added:
        logger.info("%s: %d items wait for review", pipeline.name, added)
    return added


def chosen(rows: Sequence[Predicted], declared: Review, asked_on: Mapping[str, int]) -> Iterator[tuple[str, Predicted]]:
    """Why and which: those drawn first, then disputed ones, then the least sure; at most `per_day` of a day.

    Args:
        asked_on: Day -> how many of it were asked about before.
    """
    rows_taken, counts = set(), dict(asked_on)
    for why, row in _reasons(rows, declared):
        day = row.decided_at.date().isoformat()
        if (row.entity, row.decided_at) not in rows_taken and counts.get(day, 0) < declared.per_day:
            rows_taken.add((row.entity, row.decided_at))
            counts[day] = counts.get(day, 0) + 1
            yield why, row


def _reasons(rows: Sequence[Predicted], declared: Review) -> Iterator[tuple[str, Predicted]]:
    yield from ((RANDOM, row) for row in rows if row.draw < declared.random_share)
    if declared.disagreeing:
        yield from ((DISAGREEING, row) for row in rows if len(row.classes()) > 1)
    if declared.confidence_at_most is not None:
        unsure = [row for row in rows if row.confidence() <= declared.confidence_at_most]
        yield from ((LOW_CONFIDENCE, row) for row in sorted(unsure, key=Predicted.confidence))


def _about_predictions(pipeline: Pipeline, declared: Review, settings: Settings) -> list[Item]:
    feed, _ = outcome_feed(pipeline)
    newest = _newest(pipeline, settings)
    if newest is None:
        return []
    since = newest - timedelta(days=declared.look_back_days)
    rows = _predicted(pipeline, Window(since, newest), settings)
    rows_chosen = list(chosen(rows, declared, reviews.asked_on(settings, pipeline.name, since)))
    about = rows_about(pipeline, [row.entity for _, row in rows_chosen], Window(since, newest), settings)
    return [
        Item(
            id=reviews.item_id(pipeline.name, reviews.PREDICTION, _identity(row)),
            pipeline=pipeline.name,
            kind=reviews.PREDICTION,
            why=why,
            feed=feed,
            content={
                "entity": {pipeline.prediction.entity_key: row.entity},
                "decision_time": state.instant_text(row.decided_at),
                "predictions": {str(version): value for version, value in sorted(row.by.items())},
                "shown": about.get(row.entity, {}),
                "fields": form_fields(pipeline),
            },
            people=declared.people,
            about_at=state.instant_text(row.decided_at),
        )
        for why, row in rows_chosen
    ]


def _identity(row: Predicted) -> dict[str, str]:
    return {"entity": row.entity, "decision_time": state.instant_text(row.decided_at)}


def _newest(pipeline: Pipeline, settings: Settings) -> datetime | None:
    """The end of the newest window that was scored; of a service that is asked without one, now."""
    records = state.records_before(settings, pipeline.name, "score", end=_FAR, limit=1)
    if records:
        return Scored.from_json(records[0]).window.end
    return None if lake.open_table(online_uri(pipeline, settings), settings) is None else datetime.now(UTC)


def _predicted(pipeline: Pipeline, window: Window, settings: Settings) -> list[Predicted]:
    """The window's predictions, whoever asked for them: batch scoring or the service, its challengers included."""
    by_row: dict[tuple[str, datetime], Predicted] = {}
    for columns, uri in _tables(pipeline, settings):
        if lake.open_table(uri, settings) is None:
            continue
        names = [pipeline.prediction.entity_key, "decision_time", *(name for pair in columns for name in pair)]
        table = lake.read(uri, settings, where=lake.between("decision_time", window), columns=names)
        for row in table.to_pylist():
            key, decided = row[pipeline.prediction.entity_key], row["decision_time"].replace(tzinfo=UTC)
            if key is not None:
                one = by_row.setdefault((str(key), decided), Predicted(str(key), decided, {}))
                for version, prediction in columns:
                    one.by.setdefault(int(row[version]), row[prediction])
    return sorted(by_row.values(), key=lambda one: (one.decided_at, one.entity))


def _tables(pipeline: Pipeline, settings: Settings) -> list[tuple[list[tuple[str, str]], str]]:
    """Columns of version and prediction, and the table that has them."""
    plain = [("model_version", PREDICTION)]
    both = [
        ("champion_version", shadowed_rows.CHAMPION_COLUMN),
        ("challenger_version", shadowed_rows.CHALLENGER_COLUMN),
    ]
    return [
        (plain, predictions_uri(pipeline, settings)),
        (plain, online_uri(pipeline, settings)),
        (both, shadowed_rows.shadow_uri(pipeline, settings)),
    ]


def _about_rows(pipeline: Pipeline, settings: Settings) -> list[Item]:
    items = []
    for row in quarantine.list_rows(pipeline, settings):
        feed = pipeline.feeds[row.feed]
        if feed.static or any(value is None for value in row.key.values()):
            continue  # a table is landed again as a whole; a row without a key cannot be released
        at = state.instant_text(row.window_start)
        items.append(
            Item(
                id=reviews.item_id(pipeline.name, reviews.ROW, {"feed": row.feed, "values": row.values}),
                pipeline=pipeline.name,
                kind=reviews.ROW,
                why=QUARANTINED,
                feed=row.feed,
                content={
                    "entity": row.key,
                    "rules": row.rules,
                    "shown": {},
                    "fields": [
                        {"name": name, "kind": "text", "value": row.values[name], "fixed": name in feed.key}
                        for name in feed.columns
                    ],
                },
                people=1,
                about_at=at,
            )
        )
    return items


def _class_of(value: Any) -> int:
    return int(np.argmax(value)) if isinstance(value, list) else int(value >= 0.5)


def _confidence(value: Any) -> float:
    return float(max(value)) if isinstance(value, list) else float(max(value, 1 - value))
