"""The command line, one module per topic. Errors are one clear line; a traceback only with --debug.

An OSError that no module below has put into words is a place that does not take or give what is asked, nearly always
one below AIRLOOP_HOME.
"""

import json
import logging
import sys
import warnings
from collections.abc import Sequence

import typer

from airloop.cli import (
    alarms,
    alerts,
    audit,
    backtest,
    card,
    engine,
    families,
    governance,
    keys,
    landing,
    ledger,
    maintain,
    pipelines,
    prediction_log,
    predictions,
    quarantine,
    reproduce,
    review,
    reviews,
    row_tests,
    serve,
    snapshot,
    stages,
    streams,
    trace,
)
from airloop.cli.output import errors, place_refused
from airloop.errors import AirloopError
from airloop.settings import apply_quiet_environment

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="The whole life of a model as Airflow DAGs.",
)
app.add_typer(stages.app)
app.add_typer(landing.app)
app.add_typer(snapshot.app)
app.add_typer(families.app)
app.add_typer(backtest.app)
app.add_typer(card.app)
app.add_typer(audit.app)
app.add_typer(trace.app)
app.add_typer(governance.app)
app.add_typer(predictions.app)
app.add_typer(row_tests.app)
app.add_typer(reproduce.app)
app.add_typer(maintain.app)
pipelines.app.add_typer(review.app)
app.add_typer(pipelines.app, name="pipelines")
app.add_typer(ledger.app, name="ledger")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(reviews.app, name="review")
app.add_typer(streams.app, name="streams")
app.add_typer(alarms.app, name="alarms")
app.add_typer(keys.app, name="keys")
app.add_typer(serve.app)
app.add_typer(prediction_log.app)
app.add_typer(alerts.app, name="alerts")
app.add_typer(engine.app, name="engine")


def _show_nothing(*_warning: object, **_options: object) -> None:
    pass


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of the `airloop` command; `--debug` anywhere shows tracebacks."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    apply_quiet_environment()
    if not debug:
        # What libraries deprecate in each other nobody who reads it can change. A filter is not enough: SQLAlchemy and
        # others put filters of their own in front of it when they are imported.
        warnings.showwarning = _show_nothing
    logging.basicConfig(level=logging.INFO if debug else logging.ERROR, format="%(levelname)s %(name)s: %(message)s")
    # It misses pip, which the environments that uv makes do without.
    logging.getLogger("mlflow.utils.environment").setLevel(logging.ERROR)
    try:
        app([item for item in words if item != "--debug"], standalone_mode=True)
    except (AirloopError, OSError) as error:
        if debug:
            raise
        errors.print(f"[bold red]error:[/] {type(error).__name__}: ", end="")
        errors.print(
            str(error) if isinstance(error, AirloopError) else place_refused(error), markup=False, soft_wrap=True
        )
        sys.exit(1)


@app.command(epilog="Example: airloop schema > .airloop/pipeline.schema.json")
def schema() -> None:
    """The JSON schema of pipeline.yaml, for editors."""
    from airloop.config import Pipeline

    typer.echo(json.dumps(Pipeline.model_json_schema(), indent=2))
