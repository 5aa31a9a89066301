"""Feedback: outcomes that callers send, kept in the state database until they have landed as files.

What is said twice is one outcome. Another outcome of the same thing contradicts the first: it is refused, unless the
caller says that it corrects it; the one received last then counts. A request is taken as a whole or not at all.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow.dataset as ds
import sqlalchemy as sa

from airloop.config import Pipeline
from airloop.records import Window
from airloop.serving.collect import online_uri
from airloop.serving.logged import id_time
from airloop.serving.outcomes import OutcomeRow
from airloop.serving.prediction_log import read_segment, segments
from airloop.serving.refused import Refused
from airloop.settings import Settings
from airloop.stores import lake, state
from airloop.stores.tables import feedback

TAKEN, DUPLICATE, CORRECTION = "taken", "duplicate", "correction"


@dataclass(frozen=True)
class Said:
    """One outcome of a request.

    Attributes:
        corrects: Whether it may take the place of another.
        prediction_id: Of the answer it is about; empty where it names keys.
    """

    pipeline: str
    row: OutcomeRow
    corrects: bool
    prediction_id: str = ""


def take(settings: Settings, outcomes: Sequence[Said], *, caller: str) -> list[str]:
    """Keep the outcomes, in one transaction; what became of each: `taken`, `duplicate` or `correction`.

    Raises:
        Refused: One contradicts another outcome of the same thing (409), with its row where there are several.
        UpstreamUnavailable: The state database does not answer.
    """
    received, answers = state.instant_text(datetime.now(UTC)), []
    with state.transaction(settings) as connection:
        for at, item in enumerate(outcomes):
            text = json.dumps(item.row.values, sort_keys=True)
            before = _newest(connection, item)
            if before == text:
                answers.append(DUPLICATE)
                continue
            if before is not None and not item.corrects:
                refused = _contradiction(item, before)
                raise refused.in_row(at) if len(outcomes) > 1 else refused
            answers.append(TAKEN if before is None else CORRECTION)
            row = {"pipeline": item.pipeline, "subject": item.row.subject, "outcome": text, "day": item.row.day}
            row |= {"prediction_id": item.prediction_id, "caller": caller[:100], "received_at": received}
            connection.execute(feedback.insert().values(**row, landed_as=""))
    return answers


def entity_of(pipelines: Sequence[Pipeline], prediction_id: str, settings: Settings) -> tuple[Pipeline, dict[str, Any]]:
    """Which pipeline answered with this id, and about which keys.

    Raises:
        Refused: Nobody did (404), or the answer was about no keys (422).
    """
    at = id_time(prediction_id)
    for pipeline in pipelines if at else ():
        entity = _in_log(pipeline, prediction_id, settings)
        if entity is None and at is not None:
            entity = _in_lake(pipeline, prediction_id, at, settings)
        if entity:
            return pipeline, entity
        if entity is not None:
            says = "this prediction was asked for without keys: send `pipeline` and `entity` with the outcome"
            raise Refused(422, "no_entity", says, field="prediction_id", value=prediction_id)
    says = f"no prediction {prediction_id[:40]!r} was answered here; its id is in the answer, as prediction_id"
    raise Refused(404, "unknown_prediction", says, field="prediction_id", value=prediction_id)


def _newest(connection: sa.Connection, item: Said) -> str | None:
    same = sa.and_(feedback.c.pipeline == item.pipeline, feedback.c.subject == item.row.subject)
    query = sa.select(feedback.c.outcome).where(same).order_by(feedback.c.id.desc()).limit(1)
    newest = connection.execute(query).scalar()
    return None if newest is None else str(newest)


def _contradiction(item: Said, before: str) -> Refused:
    earlier = json.loads(before)
    column = next(name for name, value in item.row.values.items() if earlier.get(name) != value)
    says = (
        f"another outcome of {item.row.subject} was sent before: {column} is {earlier.get(column)!r} there and "
        f"{item.row.values[column]!r} here; send `corrects: true` where this one is right"
    )
    return Refused(409, "contradiction", says, field=column, value=item.row.values[column])


def _in_log(pipeline: Pipeline, prediction_id: str, settings: Settings) -> dict[str, Any] | None:
    mark = f'"id":"{prediction_id}"'.encode()
    for path in reversed(segments(settings, pipeline.name)):
        try:
            if mark not in path.read_bytes():
                continue
            return next((dict(record.entity) for record in read_segment(path) if record.id == prediction_id), None)
        except FileNotFoundError:
            continue  # it was collected meanwhile: the lake has it
    return None


def _in_lake(pipeline: Pipeline, prediction_id: str, at: datetime, settings: Settings) -> dict[str, Any] | None:
    uri = online_uri(pipeline, settings)
    if lake.open_table(uri, settings) is None:
        return None
    window = Window(at - timedelta(seconds=1), at + timedelta(seconds=1))
    where = lake.between("answered_at", window) & (ds.field("prediction_id") == prediction_id)
    rows = lake.read(uri, settings, where=where, columns=["entity"]).to_pylist()
    return json.loads(rows[0]["entity"]) if rows else None
