"""Alerts: what needs somebody now."""

import json
from typing import Annotated

import typer

from airloop.cli.output import AsJson, checked, console, table, write_line
from airloop.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="What stops the loop, and what it decided.")


@app.command("list", epilog="Example: airloop alerts list PIPELINE")
def alerts_list(
    pipeline: Annotated[str | None, typer.Argument(help="One pipeline; default all.")] = None,
    as_json: AsJson = False,
) -> None:
    """Open alerts, worst first: what, since when, why, and what to do."""
    from airloop.config import pipeline_names
    from airloop.stores import alerts

    settings = checked(pipeline) if pipeline else load_settings()
    names = [pipeline] if pipeline else pipeline_names(settings)
    open_ones = [alert for name in names for alert in alerts.open_alerts(settings, name)]
    open_ones.sort(key=alerts.worst_first)
    if as_json:
        typer.echo(json.dumps([{"pipeline": alert.pipeline, **alert.alert.to_json()} for alert in open_ones]))
        return
    if not open_ones:
        console.print("no open alerts")
        return
    rows = [
        (alert.alert.severity, alert.pipeline, alert.alert.what, f"{alert.opened_at:%Y-%m-%d %H:%MZ}", alert.alert.why)
        for alert in open_ones
    ]
    console.print(table(("severity", "pipeline", "what", "since", "why"), rows))
    for to_do in dict.fromkeys(f"{alert.pipeline}: {alert.alert.to_do}" for alert in open_ones):
        write_line(to_do)
