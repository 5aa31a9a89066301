"""Check a declaration deeper than its YAML: SQL, expectations, Feast definitions, every name it resolves."""

import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from airloop.authoring import own_variants, plain_candidates, rhythm_check
from airloop.authoring.alarm_kinds import unknown_kinds
from airloop.authoring.known_connections import unknown_connections
from airloop.config import OF_VALUES, Pipeline, calendar_windows, load_pipeline, own_metrics
from airloop.config.attribute import resolve
from airloop.config.nearest import nearest
from airloop.config.positions import with_line
from airloop.config.prediction import PREDICTION
from airloop.data import expectations
from airloop.errors import ConfigError
from airloop.features import engine_check, feature_store, sections, sql_check, transforms
from airloop.problems import task_of
from airloop.records import Window
from airloop.serving import declaration
from airloop.settings import Settings

_BOUNDS = re.compile("in_set|between|match_regex")
_OWN_COLUMNS = ("decision_time", "label", "part", PREDICTION)


def check_pipeline(name: str, settings: Settings) -> list[str]:
    """Check one pipeline; returns a line per part that was found good, then what is allowed and worth a look.

    Raises:
        ConfigError: All that is wrong, a line each with file and place. Of a file that cannot be read nothing else can
            be said.
    """
    pipeline = load_pipeline(name, settings)
    declared = settings.pipelines_dir / name / "pipeline.yaml"
    lines: list[str] = []
    wrong: list[str] = []
    for check in (_pipeline, _sql, _features, _expectations):
        try:
            lines += check(pipeline, settings)
        except ConfigError as error:
            wrong += str(error).split("\n")
    if wrong:
        text = declared.read_text(encoding="utf-8")
        own = f"{name}/pipeline.yaml: "
        raise ConfigError(
            "\n".join(with_line(line, text) if line.startswith(own) else line for line in dict.fromkeys(wrong))
        )
    suites = expectations.load_expectations(pipeline, settings)
    return [
        *lines,
        *_looks(pipeline),
        *unknown_connections(pipeline, settings),
        *_labels_without_rule(pipeline, suites, settings),
    ]


def _pipeline(pipeline: Pipeline, settings: Settings) -> list[str]:
    wrong = [line for name in pipeline.training.candidates for line in _candidate(pipeline, name)]
    wrong += _refusals(own_metrics.refuse_unfit, pipeline)
    wrong += _refusals(own_variants.refuse_unfit, pipeline)
    wrong += _refusals(task_of, pipeline)
    wrong += [line for feed in pipeline.feeds for line in _refusals(_check_source, pipeline, feed, settings)]
    wrong += _refusals(_check_replay, pipeline)
    wrong += _refusals(_check_days, pipeline)
    wrong += _refusals(rhythm_check.check, pipeline)
    wrong += unknown_kinds(pipeline)
    _raise(wrong)
    return [f"pipeline.yaml: {len(pipeline.feeds)} feeds, {len(pipeline.training.candidates)} candidates"]


def _candidate(pipeline: Pipeline, name: str) -> list[str]:
    training = pipeline.training
    # Whether an estimator takes weights is not in the list.
    weighted = training.half_life_days is not None or training.balance.by == "class_weight"
    if not weighted and plain_candidates.is_plain(pipeline.prediction.task, training.candidates[name]):
        return []
    # Only here: scikit-learn takes longer to import than all the rest to check.
    from airloop.authoring import search_check
    from airloop.models import estimators

    return _refusals(estimators.check_candidate, pipeline, name) or list(search_check.problems(pipeline, name))


def _sql(pipeline: Pipeline, settings: Settings) -> list[str]:
    views = set(sections.view_names(pipeline, settings))
    known = feature_store.view_keys(pipeline, settings)
    wrong, _ = sql_check.problems(pipeline, settings)
    wrong += _views_apart(pipeline, settings, set(known))
    wrong += engine_check.problems(pipeline, settings)
    functions: tuple[str, ...] = ()
    try:
        functions = transforms.check(pipeline, settings)
    except ConfigError as error:
        wrong.append(str(error))
    _raise(wrong)
    through = [f"transforms.py: {', '.join(functions)}"] if functions else []
    return [f"features.sql: {len(views)} views, known to Feast", *through]


def _views_apart(pipeline: Pipeline, settings: Settings, known: set[str]) -> list[str]:
    """Views that only one of features.sql and Feast's definitions has."""
    found = {section.name: section for section in sections.feature_sections(pipeline, settings)}
    views = {name for name, section in found.items() if section.kind == "view"}
    repository = f"feature_repo/{pipeline.name}.py"
    wrong = [
        f"{pipeline.name}/features.sql:{found[name].line}: view {name} is not known to Feast{nearest(name, known)}: "
        f"add a FeatureView to {repository}"
        for name in sorted(views - known)
    ]
    return wrong + [
        f"{feature_store.place(pipeline, settings, name)}: features.sql has no view {name}{nearest(name, views)}: "
        "add a section `-- view: ...`, or take the FeatureView away"
        for name in sorted(known - views)
    ]


def _features(pipeline: Pipeline, settings: Settings) -> list[str]:
    name = pipeline.name
    features = feature_store.feature_names(pipeline, settings)
    taken = sorted({*_OWN_COLUMNS, pipeline.prediction.entity_key} & set(features))
    wrong = [
        f"{feature_store.place(pipeline, settings, item)}: feature {item!r} has the name of a column airloop adds; "
        "give it another name"
        for item in taken
    ]
    wrong += _refusals(feature_store.ignored_in_drift, pipeline, settings)
    wrong += _refusals(declaration.check, pipeline, settings)
    _raise(wrong)
    return [f"feature_repo/{name}.py: service {pipeline.features.service} with {len(features)} features"]


def _expectations(pipeline: Pipeline, settings: Settings) -> list[str]:
    suites = expectations.load_expectations(pipeline, settings)
    path = settings.pipelines_dir / pipeline.name / "expectations.yaml"
    _, columns = sql_check.problems(pipeline, settings)
    bound = {table: rules for table, rules in suites.features.items() if table in columns}
    wrong = _refusals(partial(expectations.check_tables, place=f"{path}: features"), bound, columns)
    views = sections.view_names(pipeline, settings)
    wrong += [
        f"{path}: features.{table}: there is no such view (views: {', '.join(views)})"
        for table in suites.features
        if table not in views
    ]
    text = path.read_text(encoding="utf-8")
    _raise([with_line(line, text) for line in wrong])
    count = sum(len(rules) for layer in (suites.raw, suites.features) for rules in layer.values())
    return [f"expectations.yaml: {count} expectations"]


def _check_days(pipeline: Pipeline) -> None:
    coverage, training = pipeline.coverage, pipeline.training
    if coverage.end is None:
        return
    place = f"{pipeline.name}/pipeline.yaml"
    inside = Window(coverage.start, coverage.end)
    windows = calendar_windows(pipeline.calendar, inside)
    wrong = []
    if not any(coverage.start <= window.start and window.end <= coverage.end for window in windows):
        wrong.append(f"{place}: coverage: holds no whole {pipeline.calendar} period: no window would ever run")
    needed = timedelta(days=training.holdout_days + training.embargo_days) + pipeline.prediction.label_delay
    if inside.end - inside.start <= needed:
        wrong.append(
            f"{place}: training.holdout_days: holdout, embargo and label delay take {needed.days} days, and the "
            f"coverage has {(inside.end - inside.start).days}: no row would be left to train on"
        )
    _raise(wrong)


def _refusals(check: Callable[..., object], *arguments: object) -> list[str]:
    try:
        check(*arguments)
    except ConfigError as error:
        return str(error).split("\n")
    return []


def _raise(wrong: list[str]) -> None:
    if wrong:
        raise ConfigError("\n".join(wrong))


def _check_source(pipeline: Pipeline, feed: str, settings: Settings) -> None:
    if pipeline.feeds[feed].source is None:
        return
    from airloop.sources import fetched

    try:
        fetched.source_of(feed, pipeline.feeds[feed], settings)
        if pipeline.feeds[feed].stream:
            # Only for streams: DuckDB is not needed for the others.
            from airloop.sources.streams import per_event
            from airloop.sources.streams.declared import stream_of

            per_event.online_sections(stream_of(pipeline, feed), settings)
            return
    except ConfigError as error:
        lines = str(error).splitlines()
        raise ConfigError("\n".join(f"{pipeline.name}/pipeline.yaml: {line}" for line in lines)) from error


def _check_replay(pipeline: Pipeline) -> None:
    path = pipeline.replay
    if path is None:
        return
    from airloop.sources.replay import Replay

    place = f"{pipeline.name}/pipeline.yaml: replay"
    try:
        found = resolve(path)
    except ConfigError as error:
        raise ConfigError(f"{place}: {error}") from error
    if not (isinstance(found, type) and issubclass(found, Replay)):
        raise ConfigError(f"{place}: {path} is not a subclass of airloop.sources.replay:Replay")
    unknown = sorted({*pipeline.feeds} - {*found.feeds})
    if unknown:
        raise ConfigError(f"{place}: {path} has no feed {unknown[0]!r}; it has {', '.join(found.feeds)}")


def _looks(pipeline: Pipeline) -> list[str]:
    looks = [
        f"pipeline.yaml: look: feeds.{name}.source.overlap_minutes is not declared: a row that is committed more than "
        "an hour after its window was fetched is lost; write the length of the longest transaction, or 0"
        for name, feed in pipeline.feeds.items()
        if feed.source is not None and feed.fetched and not feed.static and feed.source.overlap_minutes is None
    ]
    days, needed = pipeline.training.holdout_days, pipeline.gate.compare.min_blocks
    if days < needed:
        # No error: a short table has no more days, and its first model is judged by the floors alone.
        looks.append(
            f"pipeline.yaml: look: training.holdout_days {days} < gate.compare.min_blocks {needed}; "
            "a first model can pass, but no later one will ever take its place"
        )
    return [*looks, *rhythm_check.looks(pipeline)]


def _labels_without_rule(pipeline: Pipeline, suites: expectations.Expectations, settings: Settings) -> list[str]:
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
