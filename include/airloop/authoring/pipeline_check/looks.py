"""What a declaration may do and is worth a look."""

import re

from airloop.authoring import rhythm_check
from airloop.config import OF_VALUES, Pipeline
from airloop.data import expectations
from airloop.features import sections
from airloop.settings import Settings

_BOUNDS = re.compile("in_set|between|match_regex")


def looks(pipeline: Pipeline) -> list[str]:
    """What pipeline.yaml may declare and a person may not have meant, a line each."""
    lines = [
        f"pipeline.yaml: look: feeds.{name}.source.overlap_minutes is not declared: a row that is committed more than "
        "an hour after its window was fetched is lost; write the length of the longest transaction, or 0"
        for name, feed in pipeline.feeds.items()
        if feed.source is not None and feed.fetched and not feed.static and feed.source.overlap_minutes is None
    ]
    days, needed = pipeline.training.holdout_days, pipeline.gate.compare.min_blocks
    if days < needed:
        # No error: a short table has no more days, and its first model is judged by the floors alone.
        lines.append(
            f"pipeline.yaml: look: training.holdout_days {days} < gate.compare.min_blocks {needed}; "
            "a first model can pass, but no later one will ever take its place"
        )
    return [*lines, *rhythm_check.looks(pipeline)]


def labels_of_inputs(pipeline: Pipeline, settings: Settings) -> list[str]:
    """Dated feeds that labels alone are made of and that are not declared as outcomes: scoring would wait for them."""
    of_features = set(sections.feeds_of_features(pipeline, settings))
    labels = tuple(item for item in sections.read_sections(pipeline, settings) if item.name == "labels")
    alone = [name for name in sections.feeds_read(pipeline, labels) if name not in of_features]
    return [
        f"pipeline.yaml: look: feeds.{name} makes the labels and no feature, and is not declared `outcome: true`: a "
        "window without its rows fails and is not scored, and a replay cannot hide them until the window is scored"
        for name in alone
        if not (pipeline.feeds[name].outcome or pipeline.feeds[name].static)
    ]


def labels_without_rule(pipeline: Pipeline, suites: expectations.Expectations, settings: Settings) -> list[str]:
    """Columns that make a label of classes and may hold anything: in SQL another spelling is 0, or no outcome."""
    if pipeline.prediction.task in OF_VALUES:
        return []
    sql = next(item.sql for item in sections.read_sections(pipeline, settings) if item.name == "labels")
    lines = []
    for name in pipeline.outcome_feeds:
        feed = pipeline.feeds[name]
        bounded = {
            column
            for rule in suites.raw[name]
            if rule.severity == "critical" and _BOUNDS.search(rule.type)
            for column in rule.columns
        }
        free = [
            column
            for column, kind in feed.columns.items()
            if kind in ("string", "integer", "float") and column not in {*feed.key, *bounded}
        ]
        lines += [
            f"expectations.yaml: look: {name}.{column} makes the label, and no critical rule says which values it may "
            "have; another spelling counts as 0 or as no outcome: add expect_column_values_to_be_in_set (or _between)"
            for column in free
            if re.search(rf"\b{re.escape(column)}\b", sql)
        ]
    return lines
