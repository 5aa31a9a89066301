"""Run a window's sections on DuckDB and on another engine, side by side."""

from collections.abc import Iterator
from datetime import timedelta

import pyarrow as pa

from airloop.authoring.engine_proof.compare import ComparedSection, compare
from airloop.config import Pipeline
from airloop.errors import UpstreamUnavailable
from airloop.features import sections, transforms
from airloop.features.engine_session import Session
from airloop.features.sections import Section
from airloop.records import Validated, Window
from airloop.settings import Settings
from airloop.stores import state

_DAY = timedelta(days=1)


def newest_window(pipeline: Pipeline, settings: Settings) -> Window:
    """The last day of the newest window that was validated: the default of a proof.

    Raises:
        UpstreamUnavailable: None was.
    """
    rows = state.latest_records(settings, pipeline.name, "validate_raw")
    windows = [Validated.from_json(row).window for row in rows]
    if not windows:
        raise UpstreamUnavailable(f"{pipeline.name}: no window has clean rows yet; run the data DAG of one first")
    end = max(window.end for window in windows)
    return Window(end - _DAY, end)


def prove(pipeline: Pipeline, window: Window, settings: Settings) -> Iterator[ComparedSection]:
    """Compare every section of features.sql, steps included, in file order.

    Each engine makes its steps of its own steps before, so a difference shows in the section that brings it and in
    those that read it. Outcomes of 30 days after the window count as known for the labels.

    Args:
        settings: Those of the engine that is to be proven.

    Raises:
        ConfigError: A section does not run on one of them, or is not proven there (a line each).
        UpstreamUnavailable: No clean rows, or the engine does not answer.
    """
    every_section = sections.read_sections(pipeline, settings)
    parts = (
        tuple(item for item in every_section if item.name != "labels"),
        tuple(item for item in every_section if item.name == "labels"),
    )
    spans = (window, Window(window.start, window.end + 30 * _DAY))
    for part, span in zip(parts, spans, strict=True):
        ours = sections.load_feeds(pipeline, span, settings, read_by=part)
        theirs = sections.feeds_for(pipeline, span, settings, read_by=part)
        with (
            sections.connect(pipeline, span, ours) as reference,
            sections.connect(pipeline, span, theirs, settings) as engine,
        ):
            for section in part:
                rows = [_run(session, pipeline, section, settings) for session in (reference, engine)]
                yield compare(section.name, *rows)


def _run(session: Session, pipeline: Pipeline, section: Section, settings: Settings) -> pa.Table:
    if section.kind != "table" or section.through:
        rows = sections.query(session, pipeline, section)
        if section.kind == "table":
            session.put(section.name, transforms.apply(pipeline, section, rows, settings, unchanged=()))
        return rows
    sections.create_table(session, pipeline, section)
    return sections.query(
        session, pipeline, Section("view", section.name, f'SELECT * FROM "{section.name}"', line=section.line)
    )
