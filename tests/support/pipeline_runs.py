"""Any pipeline's stages on the stored records of their window, as the command line runs them."""

from datetime import datetime
from typing import Any

from airloop.config import load_pipeline
from airloop.deployment import Deployment
from airloop.records import Decision, Record, Window
from airloop.run import stage_run
from airloop.settings import Settings

DATA = ("ingest", "validate_raw", "build_features", "validate_features", "materialize")


def run(stage: str, name: str, settings: Settings, window: Window, **options: Any) -> Any:
    """One stage."""
    pipeline = load_pipeline(name, settings)
    upstream = stage_run.stored_upstream(stage, Deployment(pipeline, settings), window)
    return stage_run.run_stage(stage, Deployment(pipeline, settings), window, upstream=upstream, **options)


def run_data(name: str, settings: Settings, window: Window) -> dict[str, Record]:
    """ingest to materialize of a window."""
    return {stage: run(stage, name, settings, window) for stage in DATA}


def run_training(name: str, settings: Settings, cutoff: datetime, **options: Any) -> Decision:
    """snapshot, which checks for leaks, to decide."""
    pipeline = load_pipeline(name, settings)
    window = Window(pipeline.coverage.start, cutoff)
    run("snapshot", name, settings, window, **options)
    for candidate in pipeline.training.candidates:
        run("tune", name, settings, window, candidate=candidate)
    for stage in ("train", "evaluate", "decide"):
        decision = run(stage, name, settings, window)
    return decision
