"""features.sql against the declared feeds, without a row: what the next data run or training would refuse of it."""

from collections.abc import Iterator
from datetime import timedelta

import pyarrow as pa

from airloop.config import Pipeline
from airloop.errors import ConfigError
from airloop.features import feature_store, sections, sql_text
from airloop.features.sections import Section
from airloop.records import Window
from airloop.settings import Settings

_SECONDS = 1.0
"""A query over no rows takes milliseconds; one that is still at work then does not end."""


def problems(pipeline: Pipeline, settings: Settings) -> tuple[list[str], dict[str, tuple[str, ...]]]:
    """What is wrong, one line each with file and line, and the columns of each view that could be bound.

    A section that reads one with a mistake is not looked at; nor are the columns of one that goes through Python.

    Raises:
        ConfigError: The file or the Feast definitions cannot be read.
    """
    declared = sections.read_sections(pipeline, settings)
    feeds = {name: sections.empty_feed(pipeline, name) for name in pipeline.feeds}
    wrong, columns, broken = [], {}, set[str]()
    needed = _needed(pipeline, settings)
    window = Window(pipeline.coverage.start, pipeline.coverage.start + timedelta(days=1))
    with sections.connect(pipeline, window, feeds, query_seconds=_SECONDS) as connection:
        for section in declared:
            place = f"{pipeline.name}/features.sql:{section.line}, section {section.name}"
            try:
                if section.name in pipeline.feeds:
                    raise ConfigError(f"{place}: a feed has this name; give the section another")
                if broken & (sql_text.tables_read(section.sql) or set()):
                    broken.add(section.name)
                    continue
                rows = sections.query(connection, pipeline, section)
                connection.put(section.name, rows)
            except ConfigError as error:
                wrong.append(str(error))
                broken.add(section.name)
                continue
            except Exception as error:  # the parser's own, of a section that query would refuse too
                wrong.append(f"{place}: {' '.join(str(error).split())}")
                broken.add(section.name)
                continue
            if not section.through:
                columns[section.name] = tuple(rows.schema.names)
                says = [*_missing(section, rows, needed.get(section.name, ()))]
                if section.name == "examples":
                    says += feature_store.shared_with_examples(pipeline, settings, rows.schema.names)
                wrong += [f"{place}: {problem}" for problem in says]
    views = {section.name for section in declared if section.kind == "view"}
    return wrong, {name: names for name, names in columns.items() if name in views}


def _needed(pipeline: Pipeline, settings: Settings) -> dict[str, tuple[str, ...]]:
    """Section -> the columns that it has to have."""
    keys = feature_store.view_keys(pipeline, settings)
    features = feature_store.view_features(pipeline, settings)
    entity = pipeline.prediction.entity_key
    used = dict.fromkeys(key for view in features for key in keys.get(view, ()))
    views = {name: (*key, *features.get(name, ()), "known_at", "created_at") for name, key in keys.items()}
    return {
        **views,
        "examples": (entity, *(key for key in used if key != entity), "decision_time"),
        "labels": (entity, "label", "known_at"),
    }


def _missing(section: Section, rows: pa.Table, columns: tuple[str, ...]) -> Iterator[str]:
    for column in columns:
        if column not in rows.schema.names:
            yield f"has no column {column!r} (has: {', '.join(rows.schema.names)})"
        elif column in ("known_at", "created_at", "decision_time"):
            kind = rows.schema.field(column).type
            if not pa.types.is_timestamp(kind):
                yield f"column {column!r} is {kind}, not a timestamp"
