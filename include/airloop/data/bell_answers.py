"""Which state of a landing folder the inbox has answered: the bell rings again for one that it has not.

Airflow drops the event of a bell when the inbox's DAG is paused, and there is none while the triggerer is down.
"""

import hashlib

import sqlalchemy as sa

from airloop.config import Pipeline
from airloop.settings import Settings
from airloop.stores import landed_files, state, tables


def listing(pipeline: Pipeline, settings: Settings) -> tuple[int, str]:
    """Number of landed files, and a digest that changes when one comes, goes or is replaced; '' for an empty folder.

    Raises:
        UpstreamUnavailable: The landing folder does not answer.
    """
    files = landed_files.list_files(pipeline, settings)
    text = "\n".join(f"{file.uri} {file.stamp}" for file in files)
    return len(files), hashlib.sha256(text.encode()).hexdigest() if files else ""


def answer(pipeline: str, digest: str, settings: Settings) -> None:
    """Record that the inbox looked at the folder as this listing has it, or at a newer state of it."""
    table = tables.inbox_answers
    with state.transaction(settings) as connection:
        connection.execute(sa.delete(table).where(table.c.pipeline == pipeline))
        connection.execute(sa.insert(table).values(pipeline=pipeline, listing=digest))


def is_answered(pipeline: str, digest: str, settings: Settings) -> bool:
    """Whether the inbox's newest look was at this listing.

    Raises:
        UpstreamUnavailable: The state database does not answer.
    """
    table = tables.inbox_answers
    with state.reading(settings) as connection:
        stored = connection.execute(sa.select(table.c.listing).where(table.c.pipeline == pipeline)).scalar()
    return stored == digest
