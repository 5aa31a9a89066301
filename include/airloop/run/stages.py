"""The table of stages: where each lives, what it returns, whose records it is handed."""

import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from airloop import records
from airloop.config.nearest import nearest
from airloop.errors import ConfigError
from airloop.records import Record

Handed = Record | tuple[Record, ...]
"""The record of a stage; of one that runs once per candidate all of them."""

Upstream = Mapping[str, Handed]
"""Stage name -> what it returned."""

_LOOKS_UP = "inputs"


@dataclass(frozen=True)
class Stage:
    """A stage: where its function lives, what record it returns, whose records it is handed.

    Attributes:
        path: `module:function`, called as function(at, window, [reads,] *, records it needs, options). A module with
            `inputs(at, window, *, those of the records and options that it names)` looks up there, once, what the
            result depends on besides (checksums, table versions, who is champion): that is a part of the key, and the
            function's `reads`.
        hands_on: What its record is called in the signature of a stage that needs it.
        needs: Stages of the same window whose records it is handed; tune's are a tuple, one per candidate.
        keyed_by_needs: Whether the records it is handed are part of its key. Not of a stage whose `inputs` digest all
            that it reads of what those stages wrote: it is done again when that changes, and only then.
        replaces: It replaces the window's rows in the lake. Its record stands only until it runs over the window with
            another input: a file that is corrected and then put back has to be read again.
    """

    path: str
    record: type[Record]
    hands_on: str = ""
    needs: tuple[str, ...] = ()
    replaces: bool = False
    keyed_by_needs: bool = True

    @property
    def package(self) -> str:
        """The library's package it stands in."""
        return self.path.split(".")[1]

    def function(self) -> Callable[..., Record]:
        """The stage's function."""
        module, attribute = self.path.split(":")
        return cast("Callable[..., Record]", getattr(importlib.import_module(module), attribute))

    def look_up(self) -> Callable[..., Any] | None:
        """What looks up its `reads`; None where its result depends on the records alone."""
        return cast(
            "Callable[..., Any] | None", getattr(importlib.import_module(self.path.split(":")[0]), _LOOKS_UP, None)
        )

    def handed(self, upstream: Upstream) -> dict[str, Handed]:
        """The records it needs, by the names of its parameters."""
        return {STAGES[need].hands_on: upstream[need] for need in self.needs}

    def options(self) -> tuple[inspect.Parameter, ...]:
        """What a caller may choose: its keyword parameters that are not records of other stages."""
        handed = {STAGES[need].hands_on for need in self.needs}
        parameters = inspect.signature(self.function()).parameters.values()
        return tuple(item for item in parameters if item.kind is item.KEYWORD_ONLY and item.name not in handed)


STAGES: dict[str, Stage] = {
    "extract": Stage("airloop.sources.extract:extract", records.Extracted),
    "arrive": Stage("airloop.data.arrive:arrive", records.Arrived),
    "ingest": Stage("airloop.data.ingest:ingest", records.Ingested, "ingested", replaces=True),
    "validate_raw": Stage(
        "airloop.data.validate_raw:validate_raw", records.Validated, "raw", ("ingest",), replaces=True
    ),
    "build_features": Stage(
        "airloop.features.build_features:build_features",
        records.BuiltFeatures,
        "built",
        ("validate_raw",),
        replaces=True,
        keyed_by_needs=False,
    ),
    "validate_features": Stage(
        "airloop.data.validate_features:validate_features", records.Validated, "features", ("build_features",)
    ),
    "profile": Stage("airloop.data.profile:profile", records.Profiled, needs=("validate_raw", "validate_features")),
    "materialize": Stage(
        "airloop.features.materialize:materialize", records.Materialized, needs=("validate_features",)
    ),
    "snapshot": Stage("airloop.models.snapshot:snapshot", records.Snapshot, "snapshot"),
    "tune": Stage("airloop.models.tune:tune", records.TunedCandidate, "tuned", ("snapshot",)),
    "train": Stage("airloop.models.train:train", records.TrainedModel, "trained", ("snapshot", "tune")),
    "evaluate": Stage("airloop.models.evaluate:evaluate", records.Evaluated, "evaluated", ("snapshot", "train")),
    "decide": Stage("airloop.gate.decide:decide", records.Decision, "decision", ("evaluate",)),
    "describe": Stage(
        "airloop.gate.describe:describe", records.Described, "described", ("snapshot", "train", "decide")
    ),
    "refit": Stage("airloop.gate.refit:refit", records.Refitted, "refitted", ("snapshot", "train", "decide")),
    "describe_refit": Stage(
        "airloop.gate.describe_refit:describe_refit", records.Described, needs=("describe", "refit")
    ),
    "promote": Stage("airloop.gate.promote:promote", records.Promoted, needs=("decide",)),
    "roll_back": Stage("airloop.gate.roll_back:roll_back", records.RolledBack),
    "score": Stage("airloop.serving.score:score", records.Scored),
    "monitor": Stage("airloop.watch.monitor:monitor", records.Monitored, "monitored"),
    "triage": Stage("airloop.watch.triage:triage", records.Action, "action", ("monitor",)),
    "take_back": Stage("airloop.gate.take_back:take_back", records.TakenBack, needs=("monitor", "triage")),
}


def find_stage(name: str) -> Stage:
    """The stage of that name.

    Raises:
        ConfigError: No such stage.
    """
    if name not in STAGES:
        raise ConfigError(f"unknown stage {name!r}{nearest(name, STAGES)} (stages: {', '.join(STAGES)})")
    return STAGES[name]
