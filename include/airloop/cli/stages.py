"""Stages by hand, one or all of a DAG."""

import json
from collections.abc import Sequence
from typing import Annotated

import typer

from airloop.cli.output import progress
from airloop.errors import ConfigError
from airloop.settings import load_settings

app = typer.Typer()


@app.command(epilog="Example: airloop run ingest PIPELINE --start 2013-01-01T00:00:00Z --end 2013-02-01T00:00:00Z")
def run(
    stage: Annotated[
        str,
        typer.Argument(
            help="data or training (all their stages), or one: ingest, validate_raw, ... promote, score, monitor"
        ),
    ],
    pipeline: Annotated[str, typer.Argument(help="Name of the pipeline.")],
    start: Annotated[str, typer.Option(help="First instant of the window, with its UTC offset.")] = "",
    end: Annotated[str, typer.Option(help="First instant after the window; for training stages the cutoff.")] = "",
    option: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE of a stage, like candidate=random_forest.")
    ] = None,
) -> None:
    """Run one stage, or all of a DAG, by hand: without Airflow, on the records stored for the same window."""
    from airloop.config import load_pipeline
    from airloop.records import Window, instant_or_default
    from airloop.run import stage_groups, stage_run

    settings = load_settings()
    declared = load_pipeline(pipeline, settings)
    options = _options(option or [])
    if stage in stage_groups.GROUPS:
        if options:
            raise ConfigError(f"{stage} is several stages, and an option belongs to one: run that one by its name")
    else:
        stage_run.find_stage(stage)
    window = Window(instant_or_default(start, declared.coverage.start), instant_or_default(end, declared.coverage.end))
    if stage in stage_groups.GROUPS:
        record = stage_groups.run_group(stage, declared, window, settings, on_start=progress)
    else:
        upstream = stage_run.stored_upstream(stage, declared, window, settings)
        record = stage_run.run_stage(stage, declared, window, upstream=upstream, settings=settings, **options)
    typer.echo(json.dumps(record.to_json(), indent=2))


def _options(given: Sequence[str]) -> dict[str, str]:
    pairs = [item.partition("=") for item in given]
    wrong = [name for name, equals, _ in pairs if not equals]
    if wrong:
        raise ConfigError(f"--option {wrong[0]!r}: write NAME=VALUE, like candidate=random_forest")
    return {name: value for name, _, value in pairs}
