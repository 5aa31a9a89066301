"""Run one stage: resolve it by name, skip it when this very input was done, keep its record."""

import inspect
import logging
import time
from collections.abc import Mapping
from typing import Any, cast

from airloop import records
from airloop.config.dag_ids import dag_of
from airloop.deployment import Deployment
from airloop.errors import ConfigError, UpstreamUnavailable
from airloop.records import Record, Window, run_context
from airloop.run import lineage
from airloop.run.input_key import input_key
from airloop.run.stages import STAGES, Handed, Stage, Upstream, find_stage
from airloop.stores import alarms, lake, state
from airloop.stores.locks import stage_lock

logger = logging.getLogger(__name__)


def run_stage(name: str, at: Deployment, window: Window, *, upstream: Upstream, **options: Any) -> Record:
    """Run a stage, or return its record when exactly this input was done before.

    Runs of one machine with the same pipeline, stage, window and options follow each other; the second finds the record
    of the first.

    Args:
        upstream: The record of every stage in `needs`, by the stage's name.
        options: What the stage takes besides (`candidate`, `reason`, `origin`, `mode`).

    Raises:
        ConfigError: No such stage, an option it does not take, or a record of `needs` is missing.
        UpstreamUnavailable: What a record of `needs` says was written is no longer in the lake.
    """
    stage, pipeline, settings = find_stage(name), at.pipeline, at.settings
    _refuse_options(name, stage, options)
    missing = [need for need in stage.needs if not upstream.get(need)]
    if missing:
        raise ConfigError(
            f"{name} of {pipeline.name} {window} needs the record of {missing[0]}: run {missing[0]} first"
        )
    arguments = {**stage.handed(upstream), **options}
    with stage_lock(settings, pipeline.name, name, str(window), *_lock_parts(stage, options)):
        reads = looked_up(stage, at, window, arguments)
        key = input_key(name, at, window, upstream=upstream, options=options, reads=reads)
        if stage.replaces:
            state.forget_overwritten(settings, pipeline.name, name, input_key=key, window=window)
        done = _standing(name, at, window, key)
        if done is not None:
            logger.info("%s %s %s: this input was done before, nothing to do", pipeline.name, name, window)
            return done
        _refuse_lost_upstream(name, at, window, upstream)
        if stage.replaces:
            state.mark_started(settings, pipeline.name, name, input_key=key, window=window)
        began = time.monotonic()
        with lineage.stage_run(at, name, window, (upstream, reads)) as run, run_context.working_as(name):
            run.record = record = work(stage, at, window, reads, arguments)
        alarms.announce(pipeline, name, window, getattr(record, "alarms", ()), settings)
        state.save_record(settings, pipeline.name, name, input_key=key, window=window, record=record.to_json())
        logger.info("%s %s %s: done in %.1f s", pipeline.name, name, window, time.monotonic() - began)
        return record


def _standing(name: str, at: Deployment, window: Window, key: str) -> Record | None:
    """The record of this input, where the lake still holds what it says was written; else it is forgotten."""
    pipeline, settings = at.pipeline, at.settings
    done = state.find_record(settings, pipeline.name, name, key)
    if done is None:
        return None
    record = find_stage(name).record.from_json(done)
    behind = lake.fallen_behind(_written(record), settings)
    if behind:
        says = "%s %s %s: %s: was the lake restored from a backup? It is done again"
        logger.warning(says, pipeline.name, name, window, behind)
        state.forget(settings, pipeline.name, name, input_key=key)
        return None
    return record


def _refuse_lost_upstream(name: str, at: Deployment, window: Window, upstream: Upstream) -> None:
    for need, handed in upstream.items():
        written = [
            table for record in (handed if isinstance(handed, tuple) else (handed,)) for table in _written(record)
        ]
        behind = lake.fallen_behind(written, at.settings)
        if behind:
            raise UpstreamUnavailable(
                f"{name} of {at.pipeline.name} {window}: what {need} wrote is gone: {behind}: was the lake restored "
                f"from a backup? Run {dag_of(at.pipeline.name, 'data')} for this window again (airloop run data "
                f"{at.pipeline.name}), which does it anew"
            )


def _written(record: Record) -> tuple[records.TableVersion, ...]:
    """The tables that a record says were written."""
    tables = (*getattr(record, "tables", ()), *getattr(record, "views", ()))
    return tuple(table for table in tables if isinstance(table, records.TableVersion))


def looked_up(stage: Stage, at: Deployment, window: Window, arguments: Mapping[str, Any]) -> Any:
    """What the stage reads besides its upstream, looked up now; None where it reads nothing.

    Args:
        arguments: Its records and options, by the names of its parameters.
    """
    look_up = stage.look_up()
    if look_up is None:
        return None
    parameters = inspect.signature(look_up).parameters
    return look_up(at, window, **{name: value for name, value in arguments.items() if name in parameters})


def work(stage: Stage, at: Deployment, window: Window, reads: Any, arguments: Mapping[str, Any]) -> Record:
    """Call a stage's function on what was looked up; nothing is skipped and no record is kept."""
    if stage.look_up() is None:
        return stage.function()(at, window, **arguments)
    return stage.function()(at, window, reads, **arguments)


def _lock_parts(stage: Stage, options: Mapping[str, Any]) -> list[str]:
    """What parts runs over one window that may go side by side: options, but not of a stage that replaces its rows."""
    return [] if stage.replaces else [f"{key}={options[key]}" for key in sorted(options)]


def _refuse_options(name: str, stage: Stage, options: Mapping[str, Any]) -> None:
    known = stage.options()
    try:
        inspect.Signature(known).bind(**options)
    except TypeError as error:
        names = ", ".join(item.name for item in known)
        raise ConfigError(f"{name}: {error} (its options: {names or 'none'})") from error


def stored_upstream(name: str, at: Deployment, window: Window) -> dict[str, Handed]:
    """The newest stored records a stage needs, for runs by hand; a missing one is left out."""
    pipeline = at.pipeline
    stored: dict[str, Handed] = {}
    for need in find_stage(name).needs:
        stored_rows = state.latest_records(at.settings, pipeline.name, need, window=window)
        rows = [STAGES[need].record.from_json(row) for row in stored_rows]
        if need == "tune":
            by_candidate = {cast("records.TunedCandidate", row).candidate: row for row in rows}
            stored[need] = tuple(by_candidate[key] for key in pipeline.training.candidates if key in by_candidate)
        elif rows:
            stored[need] = rows[-1]
    return stored
