"""The quarantine: rows that validation refused, with the rules they broke, until a later row takes their place."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pyarrow as pa

from airloop.config import Feed, Pipeline
from airloop.config.nearest import nearest
from airloop.data.unreadable_rows import RULE, SOURCE, TEXT, texts_of
from airloop.errors import ConfigError
from airloop.records import Ingested, SetAside, Window
from airloop.records.run_context import current_run
from airloop.settings import Settings
from airloop.stores import lake, landed_files, state

WINDOW_START, RUN = "_window_start", "_run"
OWN_COLUMNS = (RULE, WINDOW_START, RUN, TEXT, SOURCE)


@dataclass(frozen=True)
class QuarantinedRow:
    """A row that validation refused.

    Attributes:
        window_start: Start of the window whose validation refused it.
        rules: Names of the rules it breaks, joined by "; ".
        run: The run that put it here.
        key: Its key columns as texts.
        values: Every column of the feed as text, as a landing file holds it.
        source: File and line; None for a row that could be read.
    """

    feed: str
    window_start: datetime
    rules: str
    run: str
    key: dict[str, str | None]
    values: dict[str, str | None]
    source: str | None

    def to_json(self) -> dict[str, Any]:
        """The row as JSON-able values."""
        return {**asdict(self), "window_start": f"{self.window_start:%Y-%m-%dT%H:%M:%SZ}"}


def declared_feed(pipeline: Pipeline, name: str) -> Feed:
    """The feed of that name.

    Raises:
        ConfigError: The pipeline has none; names the nearest.
    """
    if name in pipeline.feeds:
        return pipeline.feeds[name]
    near = nearest(name, pipeline.feeds)
    raise ConfigError(f"{pipeline.name} has no feed {name!r}{near} (its feeds: {', '.join(pipeline.feeds)})")


def unreadable_rows(pipeline: Pipeline, feed: str, window: Window, settings: Settings) -> pa.Table | None:
    """The rows of a window that ingest could not read; None when there is none.

    Columns: those of raw/<feed> (null where a value is not of its type), RULE, TEXT and SOURCE.
    """
    rows = _of_window(pipeline, "unreadable", feed, window, settings)
    return rows if rows is not None and rows.num_rows else None


def marked(pipeline: Pipeline, feed: str, rows: pa.Table, *, window: Window, settings: Settings) -> pa.Table:
    """Refused rows with the window and the run that refused them.

    A row that quarantine/<feed> already holds keeps its run, so the same rows again write no new version.

    Args:
        rows: Columns of raw/<feed>, RULE, TEXT and SOURCE.
    """
    rows_before = _of_window(pipeline, "quarantine", feed, window, settings)
    before = _before(rows_before, rows.schema.names)
    first_seen = [before.get(_identity(row), (window.start, current_run())) for row in rows.to_pylist()]
    # A static table is judged in every window: its rows keep the first one too.
    starts = [start if pipeline.feeds[feed].static else window.start for start, _ in first_seen]
    return rows.append_column(WINDOW_START, pa.array(starts, lake.INSTANT)).append_column(
        RUN, pa.array([run for _, run in first_seen], pa.string())
    )


def store(pipeline: Pipeline, feed: str, rows: pa.Table, *, window: Window, settings: Settings) -> None:
    """Put marked rows in place of what quarantine/<feed> held of the window (of a static feed: of the whole table).

    Nothing is written for a feed that never had a refused row.
    """
    uri, declared = lake.table_uri(settings, pipeline.name, "quarantine", feed), pipeline.feeds[feed]
    if not rows.num_rows and lake.open_table(uri, settings) is None:
        return
    time, key = declared.event_time, declared.key
    if time is None:
        lake.replace_table(uri, rows, settings, sort_by=key)
    else:
        lake.replace_window(uri, rows, settings, time_column=time, window=window, sort_by=key)


def count_rows(pipeline: Pipeline, window: Window, settings: Settings) -> int:
    """Rows of the window in quarantine, over all feeds with an event time."""
    dated = [name for name, feed in pipeline.feeds.items() if not feed.static]
    tables = [_of_window(pipeline, "quarantine", name, window, settings) for name in dated]
    return sum(rows.num_rows for rows in tables if rows is not None)


def list_rows(pipeline: Pipeline, settings: Settings, *, feed: str | None = None) -> list[QuarantinedRow]:
    """Every row in quarantine, of one feed or of all, by feed, window and key."""
    listed = []
    for name in [feed] if feed else pipeline.feeds:
        uri = lake.table_uri(settings, pipeline.name, "quarantine", name)
        if lake.open_table(uri, settings) is not None:
            listed += describe(pipeline.feeds[name], name, lake.read(uri, settings))
    return sorted(listed, key=lambda row: (list(pipeline.feeds).index(row.feed), row.window_start, str(row.key)))


def describe(feed: Feed, name: str, rows: pa.Table) -> list[QuarantinedRow]:
    """Rows of a quarantine table in words; those of a table written before runs were recorded have none."""
    described = []
    for row in rows.to_pylist():
        values = as_landed(feed, row)
        key = {column: values[column] for column in feed.key}
        run, source = row.get(RUN) or "unknown", row.get(SOURCE)
        described.append(QuarantinedRow(name, row[WINDOW_START], row[RULE], run, key, values, source))
    return described


def as_landed(feed: Feed, row: Mapping[str, Any]) -> dict[str, str | None]:
    """A row's fields as a landing file would hold them: its own texts where it could not be read."""
    texts = texts_of(row) if row.get(TEXT) else row
    return {column: _text(texts.get(column)) for column in feed.columns}


def to_csv(feed: Feed, rows: Iterable[Mapping[str, str | None]]) -> bytes:
    """Rows of texts as a landing file: the feed's columns, null an empty field, an empty text `""`."""
    frame = pl.DataFrame(list(rows), schema=dict.fromkeys(feed.columns, pl.String), orient="row")
    return frame.write_csv().encode()


def files_set_aside(pipeline: Pipeline, settings: Settings) -> list[SetAside]:
    """Files the newest ingest of some window did not read, and that still lie there unchanged; by URI."""
    records = [Ingested.from_json(row) for row in state.latest_records(settings, pipeline.name, "ingest")]
    newest = {record.window: record for record in records}
    aside = {item.uri: item for record in newest.values() for item in record.set_aside}
    there = [file for file in landed_files.list_files(pipeline, settings) if file.uri in aside]
    now = {file.uri: landed_files.checksum(file, settings).sha256 for file in there}
    return [item for uri, item in sorted(aside.items()) if now.get(uri) == item.sha256]


def _of_window(pipeline: Pipeline, layer: str, feed: str, window: Window, settings: Settings) -> pa.Table | None:
    uri, time = lake.table_uri(settings, pipeline.name, layer, feed), pipeline.feeds[feed].event_time
    if lake.open_table(uri, settings) is None:
        return None
    return lake.read(uri, settings, where=None if time is None else lake.between(time, window))


def _before(rows_before: pa.Table | None, columns: Sequence[str]) -> dict[str, tuple[datetime, str]]:
    """Identity of each held row -> the window and the run that put it there."""
    if rows_before is None or RUN not in rows_before.schema.names:
        return {}
    rows = [row for row in rows_before.to_pylist() if row[RUN] is not None]
    return {_identity({name: row.get(name) for name in columns}): (row[WINDOW_START], row[RUN]) for row in rows}


def _identity(row: Mapping[str, Any]) -> str:
    return repr(sorted(row.items()))


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value).lower() if isinstance(value, bool) else str(value)
