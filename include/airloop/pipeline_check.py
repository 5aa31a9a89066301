"""Check a declaration deeper than its YAML: SQL, expectations, Feast definitions, every name it resolves."""

import re

from airloop import models
from airloop.config import Pipeline, load_pipeline
from airloop.errors import ConfigError
from airloop.features import feature_store, sections, transforms
from airloop.replay import Replay
from airloop.settings import Settings
from airloop.tasks import PREDICTION
from airloop.validation import expectations

_BOUNDS = re.compile("in_set|between|match_regex")
_OWN_COLUMNS = ("decision_time", "label", "part", PREDICTION)


def check_pipeline(name: str, settings: Settings) -> list[str]:
    """Check one pipeline; returns a line per part that was found good, then what is allowed and worth a look.

    Raises:
        ConfigError: The first thing that is wrong, with its file and place.
    """
    pipeline = load_pipeline(name, settings)
    lines = [f"pipeline.yaml: {len(pipeline.feeds)} feeds, {len(pipeline.training.candidates)} candidates"]
    for candidate in pipeline.training.candidates:
        models.check_candidate(pipeline, candidate)
    if pipeline.replay:
        _check_replay(pipeline, pipeline.replay)
    views = set(sections.view_names(pipeline, settings))
    known = feature_store.view_keys(pipeline, settings)
    if views != set(known):
        raise ConfigError(f"{name}: features.sql has views {sorted(views)}, feature_repo/{name}.py has {sorted(known)}")
    lines.append(f"features.sql: {len(views)} views, known to Feast")
    if functions := transforms.check(pipeline, settings):
        lines.append(f"transforms.py: {', '.join(functions)}")
    features = feature_store.feature_names(pipeline, settings)
    taken = sorted({*_OWN_COLUMNS, pipeline.prediction.entity_key} & set(features))
    if taken:
        raise ConfigError(f"{name}: feature {taken[0]!r} has the name of a column airloop adds; give it another name")
    feature_store.ignored_in_drift(pipeline, settings)
    lines.append(f"feature_repo/{name}.py: service {pipeline.features.service} with {len(features)} features")
    suites = expectations.load_expectations(pipeline, settings)
    count = sum(len(rules) for layer in (suites.raw, suites.features) for rules in layer.values())
    lines.append(f"expectations.yaml: {count} expectations")
    return [*lines, *_looks(pipeline), *_labels_without_rule(pipeline, suites, settings)]


def _check_replay(pipeline: Pipeline, path: str) -> None:
    found = models.resolve(path)
    if not (isinstance(found, type) and issubclass(found, Replay)):
        raise ConfigError(f"{pipeline.name}: replay {path} is no subclass of airloop.replay:Replay")
    unknown = sorted({*pipeline.feeds} - {*found.feeds})
    if unknown:
        raise ConfigError(f"{pipeline.name}: replay {path} has no feed {unknown[0]!r}; it has {', '.join(found.feeds)}")


def _looks(pipeline: Pipeline) -> list[str]:
    looks = [
        f"pipeline.yaml: look: feeds.{name}.source.overlap_minutes is not declared: a row that is committed more than "
        "an hour after its window was fetched is lost; write the length of the longest transaction, or 0"
        for name, feed in pipeline.feeds.items()
        if feed.source is not None and not feed.static and feed.source.overlap_minutes is None
    ]
    days, needed = pipeline.training.holdout_days, pipeline.gate.compare.min_blocks
    if days < needed:
        # No error: a short table has no more days, and its first model is judged by the floors alone.
        looks.append(
            f"pipeline.yaml: look: training.holdout_days {days} < gate.compare.min_blocks {needed}; "
            "a first model can pass, but no later one will ever take its place"
        )
    return looks


def _labels_without_rule(pipeline: Pipeline, suites: expectations.Expectations, settings: Settings) -> list[str]:
    """Columns that make a label of classes and may hold anything: in SQL another spelling is 0, or no outcome."""
    if pipeline.prediction.task == "regression":
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
