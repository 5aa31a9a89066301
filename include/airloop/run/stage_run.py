"""Run one stage: resolve it by name, skip it when this very input was done, keep its record."""

import hashlib
import importlib
import inspect
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from airloop import records
from airloop.config import Pipeline
from airloop.errors import ConfigError
from airloop.records import Record, Window, run_context
from airloop.records.digests import digest
from airloop.run import own_code
from airloop.run.code_digest import code_digest
from airloop.settings import Settings
from airloop.stores import alarms, state
from airloop.stores.locks import stage_lock

logger = logging.getLogger(__name__)

_NO_STAGE_READS = {"alerts", "retention"}
"""Who is told, and how long things are kept, is nothing that a result depends on."""

type_of_upstream = Mapping[str, Any]

_READS = "reads"


@dataclass(frozen=True)
class Stage:
    """A stage: where its function lives, what record it returns, whose records it reads.

    Attributes:
        path: `module:function`; called as function(pipeline, window, upstream, settings, **options). The module may
            have `inputs` with the same arguments: what else the result depends on (checksums, table versions), looked
            up once. It is part of the key, and a function with a parameter `reads` works on it.
        needs: Stages of the same window whose records are `upstream`; tune's are a tuple, one per candidate.
        replaces: It replaces the window's rows in the lake. Its record stands only until it runs over the window with
            another input: a file that is corrected and then put back has to be read again.
    """

    path: str
    record: type[Record]
    needs: tuple[str, ...] = ()
    replaces: bool = False

    @property
    def package(self) -> str:
        """The library's package it stands in."""
        return self.path.split(".")[1]

    @property
    def works_on_reads(self) -> bool:
        """Whether its function takes what `inputs` has looked up: nothing can land or be promoted in between."""
        return _READS in inspect.signature(self.function()).parameters

    def function(self, name: str | None = None) -> Any:
        """The stage's function, or another attribute of its module (None when absent)."""
        module, attribute = self.path.split(":")
        return getattr(importlib.import_module(module), name or attribute, None)


STAGES: dict[str, Stage] = {
    "extract": Stage("airloop.sources.extract:extract", records.Extracted),
    "arrive": Stage("airloop.data.arrive:arrive", records.Arrived),
    "ingest": Stage("airloop.data.ingest:ingest", records.Ingested, replaces=True),
    "validate_raw": Stage("airloop.data.validate:validate_raw", records.Validated, ("ingest",), replaces=True),
    "build_features": Stage(
        "airloop.features.build_features:build_features", records.BuiltFeatures, ("validate_raw",), replaces=True
    ),
    "validate_features": Stage("airloop.data.validate:validate_features", records.Validated, ("build_features",)),
    "profile": Stage("airloop.data.profile:profile", records.Profiled, ("validate_raw", "validate_features")),
    "materialize": Stage("airloop.features.materialize:materialize", records.Materialized, ("validate_features",)),
    "snapshot": Stage("airloop.models.snapshot:snapshot", records.Snapshot),
    "tune": Stage("airloop.models.tune:tune", records.TunedCandidate, ("snapshot",)),
    "train": Stage("airloop.models.train:train", records.TrainedModel, ("snapshot", "tune")),
    "evaluate": Stage("airloop.models.evaluate:evaluate", records.Evaluated, ("snapshot", "train")),
    "decide": Stage("airloop.gate.decide:decide", records.Decision, ("evaluate",)),
    "describe": Stage("airloop.gate.describe:describe", records.Described, ("snapshot", "train", "evaluate", "decide")),
    "refit": Stage("airloop.gate.refit:refit", records.Refitted, ("snapshot", "train", "decide")),
    "promote": Stage("airloop.gate.promote:promote", records.Promoted, ("decide",)),
    "roll_back": Stage("airloop.gate.roll_back:roll_back", records.RolledBack),
    "score": Stage("airloop.serving.score:score", records.Scored),
    "monitor": Stage("airloop.watch.monitor:monitor", records.Monitored),
    "triage": Stage("airloop.watch.triage:triage", records.Action, ("monitor",)),
}


def find_stage(name: str) -> Stage:
    """The stage of that name.

    Raises:
        ConfigError: No such stage.
    """
    if name not in STAGES:
        raise ConfigError(f"unknown stage {name!r} (stages: {', '.join(STAGES)})")
    return STAGES[name]


def run_stage(
    name: str,
    pipeline: Pipeline,
    window: Window,
    *,
    upstream: type_of_upstream,
    settings: Settings,
    **options: Any,
) -> Record:
    """Run a stage, or return its record when exactly this input was done before.

    Runs of one machine with the same pipeline, stage, window and options follow each other; the second finds the record
    of the first.

    Args:
        upstream: Stage name -> record (or tuple of records) of every stage in `needs`.
        options: What the stage takes beyond the four arguments (`candidate`, `reason`, `origin`, `mode`).

    Raises:
        ConfigError: No such stage, an option it does not take, or a record of `needs` is missing.
    """
    stage = find_stage(name)
    _refuse_options(name, stage, options)
    missing = [need for need in stage.needs if not upstream.get(need)]
    if missing:
        raise ConfigError(
            f"{name} of {pipeline.name} {window} needs the record of {missing[0]}: run {missing[0]} first"
        )
    with stage_lock(settings, pipeline.name, name, str(window), *_lock_parts(stage, options)):
        look_up = stage.function("inputs")
        reads = look_up(pipeline, window, upstream, settings, **options) if look_up else {}
        key = input_key(name, pipeline, window, upstream=upstream, settings=settings, options=options, reads=reads)
        if stage.replaces:
            state.forget_overwritten(settings, pipeline.name, name, input_key=key, window=window)
        done = state.find_record(settings, pipeline.name, name, key)
        if done is not None:
            logger.info("%s %s %s: this input was done before, nothing to do", pipeline.name, name, window)
            return stage.record.from_json(done)
        if stage.replaces:
            state.mark_started(settings, pipeline.name, name, input_key=key, window=window)
        began = time.monotonic()
        with run_context.working_as(name):
            handed = {"reads": reads} if stage.works_on_reads else {}
            record = cast("Record", stage.function()(pipeline, window, upstream, settings, **options, **handed))
        alarms.announce(pipeline, name, window, getattr(record, "alarms", ()), settings)
        state.save_record(settings, pipeline.name, name, input_key=key, window=window, record=record.to_json())
        logger.info("%s %s %s: done in %.1f s", pipeline.name, name, window, time.monotonic() - began)
        return record


def _lock_parts(stage: Stage, options: Mapping[str, Any]) -> list[str]:
    """What parts runs over one window that may go side by side: options, but not of a stage that replaces its rows."""
    return [] if stage.replaces else [f"{key}={options[key]}" for key in sorted(options)]


def _refuse_options(name: str, stage: Stage, options: Mapping[str, Any]) -> None:
    signature = inspect.signature(stage.function())
    parameters = [item for item in signature.parameters.values() if item.name != _READS]
    try:
        signature.replace(parameters=parameters).bind(None, None, None, None, **options)
    except TypeError as error:
        known = [item.name for item in parameters if item.kind is item.KEYWORD_ONLY]
        raise ConfigError(f"{name}: {error} (its options: {', '.join(known) or 'none'})") from error


def stored_upstream(name: str, pipeline: Pipeline, window: Window, settings: Settings) -> dict[str, Any]:
    """The newest stored records a stage needs, for runs by hand; a missing one is left out."""
    found: dict[str, Any] = {}
    for need in find_stage(name).needs:
        stored = state.latest_records(settings, pipeline.name, need, window=window)
        rows = [STAGES[need].record.from_json(row) for row in stored]
        if need == "tune":
            by_candidate = {cast("records.TunedCandidate", row).candidate: row for row in rows}
            found[need] = tuple(by_candidate[key] for key in pipeline.training.candidates if key in by_candidate)
        elif rows:
            found[need] = rows[-1]
    return found


def input_key(
    name: str,
    pipeline: Pipeline,
    window: Window,
    *,
    upstream: type_of_upstream,
    settings: Settings,
    options: Mapping[str, Any],
    reads: Mapping[str, Any] | Record,
) -> str:
    """SHA-256 of all a stage's result depends on: window, upstream, options, what it reads, declaration, its code."""
    content = {
        "stage": name,
        "window": window.to_json(),
        "upstream": {need: _plain(upstream[need]) for need in find_stage(name).needs},
        "options": {key: _plain(value) for key, value in options.items()},
        "reads": _plain(reads),
        "declaration": declaration_digest(pipeline, settings),
        "code": code_digest(find_stage(name).package),
    }
    return digest(content)


def declaration_digest(pipeline: Pipeline, settings: Settings) -> str:
    """SHA-256 of the pipeline's tree, its SQL and expectations, its Feast definitions, and its own modules.

    Raises:
        ConfigError: There are no Feast definitions.
    """
    # What an editor puts beside a file (.features.sql.swp, features.sql~) is not part of the declaration.
    files = sorted((settings.pipelines_dir / pipeline.name).glob("[!.]*[!~]"))
    texts = [path.read_bytes() for path in files if path.is_file() and path.name != "pipeline.yaml"]
    definitions = settings.feature_repo_dir / f"{pipeline.name}.py"
    if not definitions.is_file():
        raise ConfigError(f"{definitions}: missing; it holds the pipeline's Feast definitions")
    texts.append(definitions.read_bytes())
    own = own_code.own_code_digests(pipeline, settings.project_dir / "include")
    declared = pipeline.model_dump(mode="json", exclude=_NO_STAGE_READS)
    read = [declared, [hashlib.sha256(text).hexdigest() for text in texts]]
    return digest([*read, own] if own else read)


def _plain(value: Any) -> Any:
    if isinstance(value, Record):
        return value.to_json()
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    return value
