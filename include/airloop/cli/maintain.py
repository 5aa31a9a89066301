"""Keep a pipeline's home small."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from airloop.cli.output import AsJson, console, progress, read_declared, table

app = typer.Typer()


@app.command(epilog="Example: airloop maintain PIPELINE --dry-run")
def maintain(
    pipeline: Annotated[str, typer.Argument(help="Name of the pipeline.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count, and change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put small files of closed months together, and remove what was replaced longer ago than `retention` keeps it.

    Nothing that the ledger, a registered version or a newer record stands on is removed, and nothing is computed again.
    """
    declared, settings = read_declared(pipeline)
    from airloop.upkeep.maintain import maintain as look_after

    done = look_after(declared, settings, dry_run=dry_run, say=progress)
    if as_json:
        typer.echo(json.dumps([asdict(item) for item in done]))
        return
    if not done:
        console.print("nothing to do")
        return
    removed = "would be removed" if dry_run else "removed"
    rows = [(item.what, item.where, f"{item.removed:,}", f"{item.freed_bytes / 1e6:,.1f} MB") for item in done]
    console.print(table(("what", "where", f"files or records {removed}", "freed"), rows))
