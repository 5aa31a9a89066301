"""Stages by hand, one or all of a DAG."""

import getpass
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from airloop.cli.output import console, progress
from airloop.errors import ConfigError
from airloop.settings import Settings, load_settings

if TYPE_CHECKING:
    from airloop.config import Pipeline

_UP_TO_A_CUTOFF = ("training", "snapshot", "tune", "train", "evaluate", "decide", "approve", "promote", "refit")
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
    start: Annotated[str, typer.Option(help="First day or instant of the window; a day is its midnight UTC.")] = "",
    end: Annotated[str, typer.Option(help="First day or instant after it; for training stages the cutoff.")] = "",
    option: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE of a stage, like candidate=random_forest.")
    ] = None,
    stale: Annotated[
        bool, typer.Option(help="data: every window whose features were built by other definitions than today's.")
    ] = False,
) -> None:
    """Run one stage, or all of a DAG, by hand: without Airflow, on the records stored for the same window."""
    from airloop.config import load_pipeline
    from airloop.config.bounds import refuse_off_calendar
    from airloop.deployment import Deployment
    from airloop.records import Window, instant_or_default, run_context
    from airloop.run import stage_groups, stage_run
    from airloop.run.stages import find_stage

    settings = load_settings()
    declared = load_pipeline(pipeline, settings)
    at, options = Deployment(declared, settings), _options(option or [])
    if stage not in stage_groups.GROUPS:
        find_stage(stage)
    elif options:
        raise ConfigError(f"{stage} is several stages, and an option belongs to one: run that one by its name")
    if stale:
        _run_stale(stage, declared, settings, given=bool(start or end))
        return
    window = Window(instant_or_default(start, declared.coverage.start), instant_or_default(end, declared.coverage.end))
    if stage not in _UP_TO_A_CUTOFF:
        group = "monitoring" if stage in ("monitor", "triage") else "data"
        refuse_off_calendar(declared, window, declared.calendar_of(group))
    with run_context.working_for(run_context.BY_HAND, starter=getpass.getuser()):
        if stage in stage_groups.GROUPS:
            record = stage_groups.run_group(stage, at, window, on_start=progress)
        else:
            upstream = stage_run.stored_upstream(stage, at, window)
            record = stage_run.run_stage(stage, at, window, upstream=upstream, **options)
    typer.echo(json.dumps(record.to_json(), indent=2))
    for line in _verdict(declared, record):
        progress(line)


def _run_stale(stage: str, pipeline: "Pipeline", settings: Settings, *, given: bool) -> None:
    """The data stages of every stale window, oldest first; killed in between, the same command goes on."""
    from airloop.deployment import Deployment
    from airloop.features.stale import stale_windows
    from airloop.run import stage_groups

    if stage != "data" or given:
        raise ConfigError(f"--stale finds its windows itself: airloop run data {pipeline.name} --stale")
    windows = stale_windows(pipeline, settings)
    for number, window in enumerate(windows, start=1):
        progress(f"{window}, {number} of {len(windows)}")
        stage_groups.run_group("data", Deployment(pipeline, settings), window, on_start=progress)
    built = f"{len(windows)} windows built again" if windows else "nothing is stale: the features are as defined today"
    console.print(built, markup=False)


def _verdict(pipeline: "Pipeline", record: Any) -> Iterator[str]:
    """What a person wants to know of a record that judges something."""
    from airloop.records import Action, Decision, Monitored

    if isinstance(record, Monitored):
        from airloop.problems import task_of
        from airloop.watch.monitor_report import headline

        yield from (f"{label}: {value}" for label, value in headline(record, task_of(pipeline)).items())
        yield f"what it calls for: airloop run triage {pipeline.name} with the same --start and --end"
    elif isinstance(record, Action):
        yield f"{record.kind}: {record.why}"
    elif isinstance(record, Decision):
        yield f"{record.outcome}: {record.why}"


def _options(given: Sequence[str]) -> dict[str, str]:
    pairs = [item.partition("=") for item in given]
    wrong = [name for name, equals, _ in pairs if not equals]
    if wrong:
        raise ConfigError(f"--option {wrong[0]!r}: write NAME=VALUE, like candidate=random_forest")
    return {name: value for name, _, value in pairs}
