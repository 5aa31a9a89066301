"""The model card of a version."""

import json
from typing import Annotated

import typer

from airloop.cli.output import AsJson, read_declared, write_line

app = typer.Typer()


@app.command(epilog="Example: airloop card PIPELINE 3")
def card(
    pipeline: Annotated[str, typer.Argument(help="Name of the pipeline.")],
    version: Annotated[int, typer.Argument(help="A registered version.")],
    as_json: AsJson = False,
) -> None:
    """Write a version's model card as it is now, to the reports and to its MLflow run."""
    from airloop.features import catalogue
    from airloop.gate import card_files
    from airloop.reports import card as cards

    declared, settings = read_declared(pipeline)
    if as_json:
        content = cards.content(declared, version, settings, catalogue=catalogue.read(pipeline, settings))
        typer.echo(json.dumps(content, sort_keys=True))
        return
    html, text = card_files.publish(declared, version, settings)
    write_line(f"model card of version {version}: {html} and {text}")
