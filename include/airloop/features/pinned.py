"""The features of a version as its training had them, kept beside the model: it scores on when today's mean another.

Kept are SQL, keys, types and order, as data: nothing of it is Python, so that a model's folder runs no code here. The
SQL runs in the same closed database as today's. A section that goes through transforms.py, and an array, are not kept.
"""

from dataclasses import dataclass
from datetime import timedelta

import pandas as pd
import pyarrow as pa

from airloop.config import Pipeline
from airloop.errors import AirloopError, GuardRefused
from airloop.feast_stores.asof_join import History, as_of_lines
from airloop.features import examples, feature_store, feature_views, sections, sql_text, validated
from airloop.features.sections import Section
from airloop.records import Record, Window
from airloop.settings import Settings

_KINDS = {"double": pa.float64(), "float": pa.float32(), "string": pa.string(), "bool": pa.bool_()} | {
    f"int{size}": getattr(pa, f"int{size}")() for size in (32, 64)
}
_TIMES = ("known_at", "created_at")


@dataclass(frozen=True)
class PinnedSection(Record):
    """A query of features.sql: a table or a view."""

    kind: str
    name: str
    sql: str


@dataclass(frozen=True)
class PinnedView(Record):
    """What Feast knew of a view.

    Attributes:
        ttl_seconds: A value counts this long after it became known.
        types: Feature -> Arrow's name of its type, of those that the service projects, in its order.
    """

    name: str
    keys: tuple[str, ...]
    ttl_seconds: float
    types: dict[str, str]


@dataclass(frozen=True)
class Pinned(Record):
    """All it takes to compute the features again.

    Attributes:
        not_kept: Why something is missing, so that they cannot be computed; empty when nothing is.
    """

    lookback_days: int
    sections: tuple[PinnedSection, ...]
    views: tuple[PinnedView, ...]
    not_kept: str = ""


def pin(pipeline: Pipeline, settings: Settings) -> Pinned:
    """Today's features, to be kept with a model that is trained on them."""
    declared_sections = sections.feature_sections(pipeline, settings)
    through = [f"section {section.name} goes through transforms.py" for section in declared_sections if section.through]
    arrays = [f"{name} is an array" for name in feature_store.array_features(pipeline, settings)]
    projected = feature_store.view_features(pipeline, settings)
    declared = {view.name: view for view in feature_store.views(pipeline, settings)}
    keys = feature_store.view_keys(pipeline, settings)
    views = []
    for name, features in projected.items():
        types, ttl = feature_store.view_types(declared[name]), declared[name].ttl or timedelta()
        kinds = {feature: str(types[feature]) for feature in features}
        views.append(PinnedView(name, keys[name], ttl.total_seconds(), kinds))
    return Pinned(
        lookback_days=pipeline.features.lookback_days,
        sections=tuple(PinnedSection(section.kind, section.name, section.sql) for section in declared_sections),
        views=tuple(views),
        not_kept="; ".join([*through, *arrays]),
    )


def frame(pipeline: Pipeline, window: Window, pinned: Pinned, settings: Settings) -> pd.DataFrame:
    """What examples.feature_frame gives without labels, by pinned definitions on today's clean rows; nothing is stored.

    Raises:
        GuardRefused: They cannot be computed: a feed or column is gone from the declaration, an example lacks a key, or
            something was not kept.
        UpstreamUnavailable: The window's data run has not finished.
    """
    if pinned.not_kept:
        raise GuardRefused(pinned.not_kept)
    validated.require(pipeline, window, settings)
    rows = examples.examples(pipeline, window, settings)
    views = _compute(pipeline, window, pinned, settings)
    columns = {name: rows[name] for name in (pipeline.prediction.entity_key, "decision_time")}
    for view in pinned.views:
        columns |= _as_known(rows, views[view.name], view)
    known: pd.DataFrame = pa.table(columns).to_pandas()
    return known


def _compute(pipeline: Pipeline, window: Window, pinned: Pinned, settings: Settings) -> dict[str, pa.Table]:
    then = pipeline.features.model_copy(update={"lookback_days": pinned.lookback_days})
    pipeline = pipeline.model_copy(update={"features": then})
    oldest = max((view.ttl_seconds for view in pinned.views), default=0.0)
    span = Window(window.start - timedelta(seconds=oldest), window.end)
    queries = tuple(Section(item.kind, item.name, item.sql) for item in pinned.sections)
    feeds = {
        # Columns that are not declared any more are empty in new rows: their absence has to be an error.
        name: rows.select([*pipeline.feeds[name].columns, *_TIMES])
        for name, rows in sections.load_feeds(pipeline, span, settings, read_by=queries).items()
    }
    _refuse_gone(pipeline, queries)
    tables = {}
    try:
        with sections.connect(pipeline, span, feeds) as connection:
            for query in queries:
                if query.kind == "table":
                    sections.create_table(connection, pipeline, query)
                else:
                    tables[query.name] = sections.query(connection, pipeline, query)
    except AirloopError as error:
        raise GuardRefused(str(error)) from error
    return tables


def _refuse_gone(pipeline: Pipeline, queries: tuple[Section, ...]) -> None:
    known = {*pipeline.feeds, *(query.name for query in queries)}
    for query in queries:
        gone = sorted((sql_text.tables_read(query.sql) or set()) - known)
        if gone:
            raise GuardRefused(f"its section {query.name} reads {gone[0]!r}, which is not a feed any more")


def _as_known(rows: pa.Table, values: pa.Table, view: PinnedView) -> dict[str, pa.ChunkedArray]:
    missing = [key for key in view.keys if key not in rows.schema.names]
    if missing:
        raise GuardRefused(f"its view {view.name} is keyed by {missing[0]!r}, which the examples do not have any more")
    values = feature_views.typed(values, {name: _KINDS[kind] for name, kind in view.types.items()})
    history = History(view.name, values, view.keys, "known_at", "created_at")
    questions = rows.select([*view.keys, "decision_time"])
    lines = as_of_lines(history, questions, ttl=timedelta(seconds=view.ttl_seconds), as_known=True)
    return {name: values[name].take(lines) for name in view.types}
