"""One declaration at work: its data stages and one training, in a home of its own, up to the evaluation."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pandas as pd

from airloop.authoring.review.declaration import Declaration, digest
from airloop.authoring.review.span import Span
from airloop.config import Pipeline
from airloop.deployment import Deployment
from airloop.models import model_version
from airloop.records import Evaluated, Record, Snapshot, TrainedModel, Window
from airloop.run import stage_run
from airloop.run.code_digest import code_digest
from airloop.run.stage_groups import TO_FEATURES
from airloop.settings import Settings

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Backtest:
    """A declaration over a span: what it froze, trained and scored.

    Attributes:
        declared: As `at_work` gives it.
        holdout: Entity key, decision_time, label, prediction (see airloop.problems) of its holdout rows.
    """

    declared: Declaration
    snapshot: Snapshot
    trained: TrainedModel
    evaluated: Evaluated
    holdout: pd.DataFrame

    @property
    def pipeline(self) -> Pipeline:
        """The declared one, cut to the span."""
        return self.declared.pipeline

    @property
    def settings(self) -> Settings:
        """Of its own home."""
        return self.declared.settings


def at_work(declared: Declaration, span: Span, folder: Path) -> Declaration:
    """The declaration with its coverage cut to the span, where its training starts, and every store in its own home.

    The home lies below `folder` and is named by the files, the span and the library: the same again finds its records
    and does nothing twice. The environment's own stores are not among the settings.
    """
    key = repr((digest(declared.files), span, code_digest("authoring")))
    home = folder / hashlib.sha256(key.encode()).hexdigest()[:12]
    cut = declared.pipeline.coverage.model_copy(update={"start": span.whole.start, "end": span.whole.end})
    stores = {
        "home": home,
        "landing_uri": span.landing_uri,
        "lake_uri": f"{home}/lake",
        "reports_uri": f"{home}/reports",
        "state_url": f"sqlite:///{home}/state.db",
        "mlflow_tracking_uri": f"sqlite:///{home}/mlflow.db",
        "mlflow_ui_url": "",
        "mlflow_artifact_uri": f"{home}/mlartifacts",
        "feast_registry_url": f"sqlite:///{home}/feast_registry.db",
        "online_store": {"type": "sqlite", "path": f"{home}/online_store.db"},
        "storage_options": {},
        "connections": {},
    }
    return Declaration(
        declared.files,
        declared.pipeline.model_copy(update={"coverage": cut}),
        declared.settings.model_copy(update=stores),
    )


def build(declared: Declaration, span: Span, *, on_progress: Progress) -> None:
    """Take every window of the span through the data stages.

    Raises:
        AirloopError: A stage refuses.
    """
    for window in span.windows:
        on_progress(f"data of {window}")
        for stage in TO_FEATURES:
            _run(stage, declared, window)


def freeze(declared: Declaration, span: Span, *, on_progress: Progress) -> Snapshot:
    """Take every window of the span through the data stages, then freeze the training set, leak-checked.

    Raises:
        AirloopError: A stage refuses; LeakFound when a feature uses what was not known yet.
    """
    build(declared, span, on_progress=on_progress)
    on_progress("snapshot and leak check")
    return cast("Snapshot", _run("snapshot", declared, span.whole, reason="hand"))


def train(declared: Declaration, snapshot: Snapshot, *, on_progress: Progress) -> Backtest:
    """Tune, train and evaluate on a frozen training set; nothing is decided, nothing promoted.

    Raises:
        AirloopError: A stage refuses.
    """
    pipeline, over = declared.pipeline, Window(declared.pipeline.coverage.start, snapshot.cutoff)
    for candidate in pipeline.training.candidates:
        on_progress(f"tune {candidate}")
        _run("tune", declared, over, candidate=candidate)
    on_progress("train and evaluate")
    trained = cast("TrainedModel", _run("train", declared, over))
    evaluated = cast("Evaluated", _run("evaluate", declared, over))
    holdout = model_version.load_version(pipeline, trained.version, declared.settings).holdout_predictions
    return Backtest(declared, snapshot, trained, evaluated, holdout)


def _run(stage: str, declared: Declaration, window: Window, **options: str) -> Record:
    at = Deployment(declared.pipeline, declared.settings)
    upstream = stage_run.stored_upstream(stage, at, window)
    return stage_run.run_stage(stage, at, window, upstream=upstream, **options)
