"""Stages by hand."""

import json
from collections.abc import Sequence
from typing import Annotated

import typer

from airloop.errors import ConfigError
from airloop.settings import load_settings

app = typer.Typer()


@app.command(epilog="Example: airloop run ingest flight_delays --start 2013-01-01T00:00:00Z --end 2013-02-01T00:00:00Z")
def run(
    stage: Annotated[
        str, typer.Argument(help="ingest, validate_raw, build_features, ... promote, score, monitor, triage")
    ],
    pipeline: Annotated[str, typer.Argument(help="Name of the pipeline.")],
    start: Annotated[str, typer.Option(help="First instant of the window, with its UTC offset.")] = "",
    end: Annotated[str, typer.Option(help="First instant after the window; for training stages the cutoff.")] = "",
    option: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE of a stage, like candidate=random_forest.")
    ] = None,
) -> None:
    """Run one stage by hand, without Airflow, on the records stored for the same window."""
    from airloop import stage_run
    from airloop.config import load_pipeline
    from airloop.records import Window, instant_or_default

    settings = load_settings()
    declared = load_pipeline(pipeline, settings)
    stage_run.find_stage(stage)
    window = Window(instant_or_default(start, declared.coverage.start), instant_or_default(end, declared.coverage.end))
    upstream = stage_run.stored_upstream(stage, declared, window, settings)
    record = stage_run.run_stage(
        stage, declared, window, upstream=upstream, settings=settings, **_options(option or [])
    )
    typer.echo(json.dumps(record.to_json(), indent=2))


def _options(given: Sequence[str]) -> dict[str, str]:
    pairs = [item.partition("=") for item in given]
    wrong = [name for name, equals, _ in pairs if not equals]
    if wrong:
        raise ConfigError(f"--option {wrong[0]!r}: write NAME=VALUE, like candidate=random_forest")
    return {name: value for name, _, value in pairs}
