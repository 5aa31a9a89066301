"""build_features: run features.sql for a window into features/<view>, keyed by what each view describes."""

from datetime import timedelta

import pyarrow as pa

from airloop.config import Pipeline
from airloop.deployment import Deployment
from airloop.features import engine_session, examples, feature_views, sections
from airloop.features.feature_store import fingerprint, view_keys
from airloop.records import BuiltFeatures, TableVersion, Validated, Window
from airloop.settings import Settings
from airloop.stores import lake, tables_read
from airloop.stores.tables_read import TablesRead


def inputs(at: Deployment, window: Window) -> TablesRead:
    """A window's features depend on the clean rows that their SQL reads, of the window and of the lookback before it.

    The lookback, because a window has to be built again after rows before it were corrected; the feeds that are read
    alone, because outcomes come after the features they are outcomes of, and change nothing about them.
    """
    pipeline, settings = at.pipeline, at.settings
    # One day more: a row is filed by the month of its event, and becomes known later.
    since = window.start - timedelta(days=pipeline.features.lookback_days + 1)
    read = sections.feeds_of_features(pipeline, settings)
    uris = {name: lake.table_uri(settings, pipeline.name, "clean", name) for name in read}
    return tables_read.look_at(uris, settings, window=Window(since, window.end))


def build_features(at: Deployment, window: Window, reads: TablesRead, *, raw: Validated) -> BuiltFeatures:
    """Replace the rows of features/<view> whose known_at lies in the window.

    Every view is computed before the first is written. Numbers become float64 (null stays null), so that a column's
    type does not depend on whether a window happens to hold a null.

    Raises:
        ConfigError: The SQL does not run, a view lacks known_at or created_at, or Feast does not know the view.
        DataContractError: Two rows of a view share key and known_at.
    """
    pipeline, settings = at.pipeline, at.settings
    with reads.as_they_stood():
        read_by = tuple(item for item in sections.read_sections(pipeline, settings) if item.name != "labels")
        feeds = sections.feeds_for(pipeline, window, settings, read_by=read_by)
        number = examples.count(pipeline, window, settings, feeds)
    views = feature_views.compute_views(pipeline, window, feeds, settings)
    return BuiltFeatures(
        window=window,
        views=tuple(_write(pipeline, name, rows, window=window, settings=settings) for name, rows in views.items()),
        fingerprint=fingerprint(pipeline, settings),
        examples=number,
        engine=engine_session.engine_version(settings),
    )


def _write(pipeline: Pipeline, view: str, rows: pa.Table, *, window: Window, settings: Settings) -> TableVersion:
    uri = lake.table_uri(settings, pipeline.name, "features", view)
    keys = [*view_keys(pipeline, settings)[view], "known_at"]
    return lake.replace_window(uri, rows, settings, time_column="known_at", window=window, sort_by=keys)
