"""Pipeline declarations."""

from typing import Annotated

import typer

from airloop.cli.output import console
from airloop.errors import ConfigError
from airloop.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="Pipeline declarations.")


@app.command("check", epilog="Example: airloop pipelines check flight_delays")
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
