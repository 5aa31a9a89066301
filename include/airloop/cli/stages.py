"""Stages by hand, one or all of a DAG."""

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from airloop.cli.output import console, progress
from airloop.cli.person import login_name
from airloop.errors import ConfigError
from airloop.settings import Settings, load_settings

if TYPE_CHECKING:
    from airloop.config import Pipeline
    from airloop.deployment import Deployment
    from airloop.records import Record, Window

_UP_TO_A_CUTOFF = ("training", "snapshot", "tune", "train", "evaluate", "decide", "approve", "promote", "refit")
app = typer.Typer()


@app.command(epilog="Example: airloop run ingest PIPELINE --start 2013-01-01T00:00:00Z --end 2013-02-01T00:00:00Z")
def run(
    stage: Annotated[
        str,
        typer.Argument(
            help="data or training (all their stages), or one: ingest, validate_raw, ... promote, score, monitor; "
            "several over one window in their order: training,promote"
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
    from airloop.deployment import Deployment
    from airloop.records import Window, instant_or_default, run_context

    settings = load_settings()
    declared = load_pipeline(pipeline, settings)
    at, options, stages = Deployment(declared, settings), _options(option or []), stage.split(",")
    _refuse_stages(stages, options)
    if stale:
        _run_stale(stage, declared, settings, window_given=bool(start or end))
        return
    window = Window(instant_or_default(start, declared.coverage.start), instant_or_default(end, declared.coverage.end))
    for name in stages:
        _refuse_window(name, declared, window)
    for name in stages:
        with run_context.working_for(run_context.BY_HAND, starter=login_name()):
            record = _run_one(name, at, window, options)
        typer.echo(json.dumps(record.to_json(), indent=2))
        for line in _verdict(declared, record):
            progress(line)


def _refuse_stages(stages: Sequence[str], options: dict[str, str]) -> None:
    from airloop.run.stage_groups import GROUPS
    from airloop.run.stages import find_stage

    for name in stages:
        if name not in GROUPS:
            find_stage(name)
    if options and (len(stages) > 1 or stages[0] in GROUPS):
        raise ConfigError(
            f"{','.join(stages)} is several stages, and an option belongs to one: run that one by its name"
        )


def _refuse_window(stage: str, pipeline: "Pipeline", window: "Window") -> None:
    from airloop.config.bounds import refuse_off_calendar, refuse_outside_coverage

    refuse_outside_coverage(pipeline, window)
    if stage not in _UP_TO_A_CUTOFF:
        group = "monitoring" if stage in ("monitor", "triage") else "data"
        refuse_off_calendar(pipeline, window, pipeline.calendar_of(group))
    elif window.start != pipeline.coverage.start:
        raise ConfigError(
            f"{stage} goes up to a cutoff, --end, and begins where the coverage does: leave --start out; how far back "
            f"it learns is training.history_days in {pipeline.name}/pipeline.yaml"
        )


def _run_one(stage: str, at: "Deployment", window: "Window", options: dict[str, str]) -> "Record":
    from airloop.run import stage_groups, stage_run

    if stage in stage_groups.GROUPS:
        return stage_groups.run_group(stage, at, window, on_start=progress)
    upstream = stage_run.stored_upstream(stage, at, window)
    return stage_run.run_stage(stage, at, window, upstream=upstream, **options)


def _run_stale(stage: str, pipeline: "Pipeline", settings: Settings, *, window_given: bool) -> None:
    """The data stages of every stale window, oldest first; killed in between, the same command goes on."""
    from airloop.deployment import Deployment
    from airloop.features.stale import stale_windows
    from airloop.run import stage_groups

    if stage != "data" or window_given:
        raise ConfigError(f"--stale finds its windows itself: airloop run data {pipeline.name} --stale")
    windows = stale_windows(pipeline, settings)
    for number, window in enumerate(windows, start=1):
        progress(f"{window}, {number} of {len(windows)}")
        stage_groups.run_group("data", Deployment(pipeline, settings), window, on_start=progress)
    built = f"{len(windows)} windows built again" if windows else "nothing is stale: the features are as defined today"
    console.print(built, markup=False)


def _verdict(pipeline: "Pipeline", record: Any) -> Iterator[str]:
    """What a person wants to know of a record that judges something."""
    from airloop.records import Action, Decision, Monitored, Scored

    if isinstance(record, Monitored):
        from airloop.problems import task_of
        from airloop.watch.monitor_report import headline

        yield from (f"{label}: {value}" for label, value in headline(record, task_of(pipeline)).items())
        yield f"what it calls for: airloop run triage {pipeline.name} with the same --start and --end"
    elif isinstance(record, Action):
        yield f"{record.kind}: {record.why}"
    elif isinstance(record, Decision):
        yield record.why if record.why.startswith(record.outcome) else f"{record.outcome}: {record.why}"
    elif isinstance(record, Scored):
        yield f"scored: version {record.version} predicted {record.rows:,} rows" if record.version else "no champion"


def _options(words: Sequence[str]) -> dict[str, str]:
    pairs = [item.partition("=") for item in words]
    wrong = [name for name, equals, _ in pairs if not equals]
    if wrong:
        raise ConfigError(f"--option {wrong[0]!r}: write NAME=VALUE, like candidate=random_forest")
    return {name: value for name, _, value in pairs}
