"""The platform of this machine: start, stop, look, and the past and the demo on it."""

import json
import sys
from typing import Annotated, Any

import typer

from airloop.cli.output import AsJson, console, say, table
from airloop.errors import ConfigError
from airloop.settings import Settings, load_settings

_YEAR, _SHORT_FORM = 12, 3

Port = Annotated[int | None, typer.Option(help="Fixed port instead of a free one.")]

app = typer.Typer()


@app.command(epilog="Example: airloop demo --months 6")
def demo(
    months: Annotated[
        int | None, typer.Option(min=1, max=12, help="How many months; default a year, on macOS three.")
    ] = None,
    pipeline: Annotated[str | None, typer.Option(help="The pipeline to replay; default the one tagged demo.")] = None,
) -> None:
    """Take a pipeline's replayed data through the running Airflow, month by month, until the loop has closed."""
    from airloop.config import load_pipeline
    from airloop_platform.demo.months import demo_windows, staged
    from airloop_platform.demo.second_person import with_approver
    from airloop_platform.replay.command import replay_and_show

    settings = with_approver(load_settings())
    declared = load_pipeline(pipeline or _tagged_demo(settings), settings)
    # A pipeline that cannot be replayed starts no platform.
    windows = demo_windows(declared, months=_default_months() if months is None else months)
    replay_and_show(declared, windows, settings, console=console, staged=staged(windows))


@app.command(epilog="Example: airloop replay PIPELINE --from 2013-01-01 --to 2013-07-01")
def replay(
    pipeline: Annotated[str, typer.Argument(help="Name of the pipeline.")],
    start: Annotated[str, typer.Option("--from", help="Start of the first window; default the first with data.")] = "",
    end: Annotated[str, typer.Option("--to", help="End of the last window; default the last with data.")] = "",
    by_look: Annotated[
        bool, typer.Option("--by-look", help="Take all windows up to a look of monitoring together: fewer runs.")
    ] = False,
    from_scratch: Annotated[
        bool, typer.Option("--anew", help="In a home of its own, without the models and decisions there are.")
    ] = False,
) -> None:
    """Take a pipeline's past through the whole loop, strictly in order; the same command goes on where it stopped."""
    from airloop.config import load_pipeline
    from airloop_platform.replay import anew, span
    from airloop_platform.replay.command import replay_and_show

    settings = load_settings()
    declared = load_pipeline(pipeline, settings)
    if from_scratch:
        settings = anew.home_of_its_own(declared, settings)
    windows = span.windows_between(declared, start, end, span.reach(declared, settings))
    if by_look:
        windows = span.by_look(declared, windows, settings)
    if advice := anew.advice(declared, windows, settings):
        say(advice)
    replay_and_show(declared, windows, settings, console=console)


def _tagged_demo(settings: Settings) -> str:
    from airloop.config import load_pipeline, pipeline_names

    replayed, refused = [], []
    for name in pipeline_names(settings):
        try:
            declared = load_pipeline(name, settings)
        except ConfigError as error:
            refused.append(str(error))
            continue
        replayed += [declared] if declared.replay else []
    tagged = [declared.name for declared in replayed if "demo" in declared.tags]
    if len(tagged) == 1:
        return tagged[0]
    names = ", ".join(declared.name for declared in replayed) or "none"
    says = f"{len(tagged)} pipelines with a replay are tagged demo; name one by --pipeline (of: {names})"
    raise ConfigError("\n".join([says, *refused]))


def _default_months() -> int:
    if sys.platform != "darwin":
        return _YEAR
    console.print(
        f"macOS: Airflow starts every task in a new process here, so that none starts with its libraries loaded; "
        f"this takes {_SHORT_FORM} months. For the year: make demo MONTHS={_YEAR}",
        soft_wrap=True,
    )
    return _SHORT_FORM


@app.command(epilog="Example: airloop up --detach")
def up(
    detach: Annotated[bool, typer.Option(help="Return when all is healthy; `airloop down` stops it.")] = False,
    airflow_port: Port = None,
    mlflow_port: Port = None,
    serving_port: Port = None,
) -> None:
    """Start Airflow, MLflow and the prediction service on this machine, bound to 127.0.0.1."""
    from airloop_platform import supervisor
    from airloop_platform.project import shipped

    settings = load_settings()
    for name in shipped.lacking(settings.project_dir):
        say(f"{name} is missing: airloop upgrade adds it")
    ports = {"airflow_port": airflow_port, "mlflow_port": mlflow_port, "serving_port": serving_port}
    if detach:
        _show_platform(supervisor.start_detached(settings, on_progress=say, **ports))
        return
    supervisor.run(settings, on_progress=say, on_ready=_show_platform, **ports)


@app.command(epilog="Example: airloop down")
def down() -> None:
    """Stop the platform; leaves no process behind."""
    from airloop_platform import supervisor

    console.print("stopped" if supervisor.down(load_settings(), on_progress=say) else "nothing was running")


@app.command(epilog="Example: airloop status --json")
def status(as_json: AsJson = False) -> None:
    """Every service with its URL, health, process and how often it was restarted."""
    from airloop_platform import supervisor

    services = supervisor.status(load_settings())
    if as_json:
        typer.echo(json.dumps([service.to_dict() for service in services]))
    else:
        rows = [
            (
                item.name,
                item.url or "-",
                "healthy" if item.healthy else "down",
                str(item.pid or "-"),
                str(item.restarts),
            )
            for item in services
        ]
        console.print(table(("service", "url", "health", "pid", "restarts"), rows))
    if not all(service.healthy for service in services):
        raise typer.Exit(3)


def _show_platform(platform: Any) -> None:
    airflow, mlflow = platform.logins()
    serving = f"Serving  {platform.serving_url}   key: airloop keys create NAME --scope predict"
    console.print(f"\n  {airflow}\n  {mlflow}\n  {serving}\n", soft_wrap=True)
