"""In which data run the inbox started each window last: what was started together is never started in another grouping.

What stands here says which run a window belongs to, not that it is there: its id is asked for again at each bell, and
Airflow, which knows the runs, skips it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from airloop.records import Window
from airloop.settings import Settings
from airloop.stores import state, tables


@dataclass(frozen=True)
class Start:
    """The data run in which a window was started, and for what.

    Attributes:
        files: SHA-256 over the landed files that the window and its lookback read then.
        ingested: Number of the ingest record that the window had then; 0 for none.
        over: What the run was started over: the window, or several of which it is one.
        digest: The reason of the run, as its id has it.
    """

    files: str
    ingested: int
    over: Window
    digest: str


def read(pipeline: str, span: Window, settings: Settings) -> dict[Window, Start]:
    """The newest start of every window inside a span that has one.

    Raises:
        UpstreamUnavailable: The state database does not answer.
    """
    table = tables.inbox_starts
    query = sa.select(table).where(
        table.c.pipeline == pipeline,
        table.c.window_start >= state.instant_text(span.start),
        table.c.window_end <= state.instant_text(span.end),
    )
    with state.reading(settings) as connection:
        rows = connection.execute(query).all()
    return {
        state.stored_window(row.window_start, row.window_end): Start(
            row.files, row.ingested, state.stored_window(row.run_start, row.run_end), row.run_digest
        )
        for row in rows
    }


def remember(pipeline: str, starts: Mapping[Window, Start], settings: Settings) -> None:
    """Put starts on record, each in place of the one that its window had.

    Raises:
        UpstreamUnavailable: The state database does not answer.
    """
    rows = [
        {
            "pipeline": pipeline,
            "window_start": state.instant_text(window.start),
            "window_end": state.instant_text(window.end),
            "files": start.files,
            "ingested": start.ingested,
            "run_start": state.instant_text(start.over.start),
            "run_end": state.instant_text(start.over.end),
            "run_digest": start.digest,
        }
        for window, start in starts.items()
    ]
    state.replace_rows(tables.inbox_starts, rows, settings)
