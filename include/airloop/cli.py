"""The command line. Errors are one clear line; a traceback only with --debug."""

import json
import logging
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from airloop.errors import AirloopError, ConfigError
from airloop.settings import Settings, apply_quiet_environment, load_settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="The whole life of a model as Airflow DAGs.",
)
pipelines_app = typer.Typer(no_args_is_help=True, help="Pipeline declarations.")
ledger_app = typer.Typer(no_args_is_help=True, help="The history of decisions.")
app.add_typer(pipelines_app, name="pipelines")
app.add_typer(ledger_app, name="ledger")
# A pipe has no width of its own; the demo's table needs this much.
console = Console(highlight=False, width=None if sys.stdout.isatty() else 190)
errors = Console(stderr=True, highlight=False)

Port = Annotated[int | None, typer.Option(help="Fixed port instead of a free one.")]
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of the `airloop` command; `--debug` anywhere shows tracebacks."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    apply_quiet_environment()
    logging.basicConfig(level=logging.INFO if debug else logging.ERROR, format="%(levelname)s %(name)s: %(message)s")
    try:
        app([item for item in given if item != "--debug"], standalone_mode=True)
    except AirloopError as error:
        if debug:
            raise
        errors.print(f"[bold red]error:[/] {type(error).__name__}: ", end="")
        errors.print(str(error), markup=False, soft_wrap=True)
        sys.exit(1)


@app.command(epilog="Example: airloop demo --months 6")
def demo(
    months: Annotated[int, typer.Option(min=1, max=12, help="How many months of 2013.")] = 12,
    pipeline: Annotated[str, typer.Option(help="The pipeline to replay.")] = "flight_delays",
) -> None:
    """Take real flights through the running Airflow, month by month, until the loop has closed."""
    from airloop.demo.command import run_and_show

    run_and_show(pipeline, load_settings(), months=months, console=console)


@app.command(epilog="Example: airloop up --detach")
def up(
    detach: Annotated[bool, typer.Option(help="Return when all is healthy; `airloop down` stops it.")] = False,
    airflow_port: Port = None,
    mlflow_port: Port = None,
) -> None:
    """Start Airflow and MLflow on this machine, bound to 127.0.0.1."""
    from airloop import supervisor

    settings = load_settings()
    if detach:
        ports = {"airflow_port": airflow_port, "mlflow_port": mlflow_port}
        _show_platform(supervisor.start_detached(settings, on_progress=_say, **ports))
        return
    supervisor.run(
        settings, on_progress=_say, on_ready=_show_platform, airflow_port=airflow_port, mlflow_port=mlflow_port
    )


@app.command(epilog="Example: airloop down")
def down() -> None:
    """Stop the platform; leaves no process behind."""
    from airloop import supervisor

    console.print("stopped" if supervisor.down(load_settings(), on_progress=_say) else "nothing was running")


@app.command(epilog="Example: airloop status --json")
def status(as_json: AsJson = False) -> None:
    """Every service with its URL, health and process."""
    from airloop import supervisor

    services = supervisor.status(load_settings())
    if as_json:
        typer.echo(json.dumps([service.to_dict() for service in services]))
    else:
        rows = [
            (item.name, item.url or "-", "healthy" if item.healthy else "down", str(item.pid or "-"))
            for item in services
        ]
        console.print(_table(("service", "url", "health", "pid"), rows))
    if not all(service.healthy for service in services):
        raise typer.Exit(3)


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


@pipelines_app.command("check", epilog="Example: airloop pipelines check flight_delays")
def pipelines_check(name: Annotated[str | None, typer.Argument(help="One pipeline; default all.")] = None) -> None:
    """Read every declaration, its SQL, expectations and Feast definitions, and resolve what they name."""
    from airloop.config import pipeline_names
    from airloop.pipeline_check import check_pipeline

    settings = load_settings()
    names = [name] if name else list(pipeline_names(settings))
    if not names:
        raise ConfigError(f"no pipeline is declared below {settings.pipelines_dir}")
    for found in names:
        for line in check_pipeline(found, settings):
            console.print(f"{found}: {line}")


@app.command(epilog="Example: airloop schema > .airloop/pipeline.schema.json")
def schema() -> None:
    """The JSON schema of pipeline.yaml, for editors."""
    from airloop.config import Pipeline

    typer.echo(json.dumps(Pipeline.model_json_schema(), indent=2))


@ledger_app.command("show", epilog="Example: airloop ledger show flight_delays")
def ledger_show(pipeline: str, as_json: AsJson = False) -> None:
    """Every entry: what was decided, when it takes effect, and why."""
    from airloop import ledger

    _print_entries(ledger.entries(_checked(pipeline), pipeline), as_json=as_json)


@ledger_app.command("at", epilog="Example: airloop ledger at flight_delays 2013-06-01T00:00:00Z")
def ledger_at(pipeline: str, instant: str, as_json: AsJson = False) -> None:
    """What was in force at an instant of data time."""
    from airloop import ledger
    from airloop.records import parse_instant

    settings, when = _checked(pipeline), parse_instant(instant)
    if not as_json:
        console.print(f"champion at {when:%Y-%m-%dT%H:%MZ}: {ledger.champion_at(settings, pipeline, when) or 'none'}")
    _print_entries(ledger.at(settings, pipeline, when), as_json=as_json)


@ledger_app.command("verify", epilog="Example: airloop ledger verify flight_delays")
def ledger_verify(pipeline: str) -> None:
    """Recompute the hash chain; a changed, removed or inserted entry is named and the exit code is 1."""
    from airloop import ledger

    settings = _checked(pipeline)
    problems = ledger.verify(settings, pipeline)
    for problem in problems:
        console.print(problem, markup=False)
    if problems:
        raise typer.Exit(1)
    console.print(f"{len(ledger.entries(settings, pipeline))} entries, the chain holds")


def _checked(pipeline: str) -> Settings:
    from airloop.config import load_pipeline

    settings = load_settings()
    load_pipeline(pipeline, settings)
    return settings


def _print_entries(entries: Sequence[Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([entry.to_json() for entry in entries]))
        return
    rows = [(str(e.sequence), e.kind, f"{e.effective_at:%Y-%m-%d}", _gist(e.payload), e.hash[:12]) for e in entries]
    console.print(_table(("#", "kind", "effective", "what", "hash"), rows))


def _gist(payload: dict[str, Any]) -> str:
    said = payload.get("why") or payload.get("kind") or ""
    version = payload.get("version")
    return f"v{version} {said}".strip() if version is not None else str(said)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(*columns, header_style="bold")
    for row in rows:
        table.add_row(*row)
    return table


def _options(given: Sequence[str]) -> dict[str, str]:
    pairs = [item.partition("=") for item in given]
    wrong = [name for name, equals, _ in pairs if not equals]
    if wrong:
        raise ConfigError(f"--option {wrong[0]!r}: write NAME=VALUE, like candidate=random_forest")
    return {name: value for name, _, value in pairs}


def _say(line: str) -> None:
    console.print(f"[dim]{datetime.now(UTC):%H:%M:%S}[/] ", end="")
    console.print(line, markup=False)


def _show_platform(platform: Any) -> None:
    console.print(f"\n  Airflow  {platform.airflow_url}   login {platform.username} / {platform.password}")
    console.print(f"  MLflow   {platform.mlflow_url}\n")
