"""Check what pipeline.yaml declares and names: candidates, sources, the replay, days that fit the coverage."""

from datetime import timedelta

from airloop.authoring import own_variants, plain_candidates, rhythm_check
from airloop.authoring.alarm_kinds import unknown_kinds
from airloop.authoring.pipeline_check.refusals import raise_all, refusals
from airloop.config import Pipeline, calendar_windows, own_metrics
from airloop.config.attribute import resolve
from airloop.errors import ConfigError
from airloop.problems import task_of
from airloop.records import Window
from airloop.settings import Settings


def declared_values(pipeline: Pipeline, settings: Settings) -> list[str]:
    """Check pipeline.yaml; a line that says what it declares, and one with what of it is the project's own.

    Raises:
        ConfigError: All that is wrong, a line each.
    """
    wrong = [line for name in pipeline.training.candidates for line in _candidate(pipeline, name)]
    wrong += refusals(own_metrics.refuse_unfit, pipeline)
    wrong += refusals(own_variants.refuse_unfit, pipeline)
    wrong += refusals(task_of, pipeline)
    wrong += [line for feed in pipeline.feeds for line in refusals(_check_source, pipeline, feed, settings)]
    wrong += refusals(_check_replay, pipeline)
    wrong += refusals(_check_days, pipeline)
    wrong += refusals(rhythm_check.check, pipeline)
    wrong += unknown_kinds(pipeline)
    raise_all(wrong)
    own = [f"{family.kind} {name}" for family, names in own_variants.own_variants(pipeline).items() for name in names]
    return [
        f"pipeline.yaml: {len(pipeline.feeds)} feeds, {len(pipeline.training.candidates)} candidates",
        *([f"pipeline.yaml: of this project: {', '.join(own)}"] if own else []),
    ]


def _candidate(pipeline: Pipeline, name: str) -> list[str]:
    training = pipeline.training
    # Whether an estimator takes weights is not in the list.
    weighted = training.half_life_days is not None or training.balance.by == "class_weight"
    if not weighted and plain_candidates.is_plain(pipeline.prediction.task, training.candidates[name]):
        return []
    # Only here: scikit-learn takes longer to import than all the rest to check.
    from airloop.authoring import search_check
    from airloop.models import estimators

    return refusals(estimators.check_candidate, pipeline, name) or list(search_check.problems(pipeline, name))


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
    raise_all(wrong)


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
        replay = resolve(path)
    except ConfigError as error:
        raise ConfigError(f"{place}: {error}") from error
    if not (isinstance(replay, type) and issubclass(replay, Replay)):
        raise ConfigError(f"{place}: {path} is not a subclass of airloop.sources.replay:Replay")
    unknown = sorted({*pipeline.feeds} - {*replay.feeds})
    if unknown:
        raise ConfigError(f"{place}: {path} has no feed {unknown[0]!r}; it has {', '.join(replay.feeds)}")
