"""Feedback as landed files of the outcome feed: from there on it goes through the same door as all data.

A file is named `<day>.feedback.<number>.csv`: it is read after every other file of its day, and after earlier feedback.
Killed between the file and the note that it landed, the rows land once more in a later file: the same rows, which are
one row when they are read.
"""

import csv
import io
import json
import logging
from typing import Any

import sqlalchemy as sa

from airloop.config import Feed, Pipeline
from airloop.serving.outcomes import outcome_feed
from airloop.serving.refused import Refused
from airloop.settings import Settings
from airloop.stores import state
from airloop.stores.files import put
from airloop.stores.locks import stage_lock
from airloop.stores.tables import feedback

logger = logging.getLogger(__name__)


def land(pipeline: Pipeline, settings: Settings) -> tuple[str, ...]:
    """Write what waits, a file for each local day; the URIs of the files. Nothing waits: nothing is written.

    Raises:
        UpstreamUnavailable: The landing folder cannot be written, or the state database does not answer.
    """
    if not _waiting(pipeline, settings):
        return ()
    try:
        name, feed = outcome_feed(pipeline)
    except Refused as error:
        logger.warning("%s: feedback waits: %s", pipeline.name, error.message)
        return ()
    with stage_lock(settings, pipeline.name, "feedback"):
        by_day: dict[str, list[Any]] = {}
        for row in _waiting(pipeline, settings):
            by_day.setdefault(row.day, []).append(row)
        return tuple(_land_day(pipeline, name, feed, day, rows, settings) for day, rows in sorted(by_day.items()))


def _waiting(pipeline: Pipeline, settings: Settings) -> list[Any]:
    """Rows that have not landed, by number."""
    where = sa.and_(feedback.c.pipeline == pipeline.name, feedback.c.landed_as == "")
    with state.reading(settings) as connection:
        return list(connection.execute(sa.select(feedback).where(where).order_by(feedback.c.id)))


def _land_day(pipeline: Pipeline, name: str, feed: Feed, day: str, rows: list[Any], settings: Settings) -> str:
    file = feed.files.replace("{day}", day).removesuffix(".csv") + f".feedback.{rows[-1].id}.csv"
    uri = f"{settings.landing_uri}/{pipeline.name}/{name}/{file}"
    newest = {row.subject: json.loads(row.outcome) for row in rows}  # the one received last counts
    put(uri, _csv(feed, list(newest.values())), settings, meanwhile="the feedback waits")
    with state.transaction(settings) as connection:
        numbers = [row.id for row in rows]
        connection.execute(feedback.update().where(feedback.c.id.in_(numbers)).values(landed_as=file))
    logger.info("%s: %d outcomes landed as %s", pipeline.name, len(newest), uri)
    return uri


def _csv(feed: Feed, rows: list[dict[str, Any]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(feed.columns)
    writer.writerows([[_text(row.get(column)) for column in feed.columns] for row in rows])
    return text.getvalue().encode()


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
