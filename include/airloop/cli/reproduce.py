"""Train a version again."""

from typing import Annotated

import typer

from airloop.cli.output import checked, console, progress

app = typer.Typer()


@app.command(epilog="Example: airloop reproduce PIPELINE 1")
def reproduce(
    pipeline: Annotated[str, typer.Argument(help="Name of the pipeline.")],
    version: Annotated[int, typer.Argument(help="A registered version.")],
    anyway: Annotated[bool, typer.Option(help="Also with other code than it was trained by.")] = False,
) -> None:
    """Train a version again from its snapshot in a fresh process: `identical`, or what differs (exit code 1).

    Compared are the predictions of every holdout row and the metrics, bit for bit. Nothing is registered.
    """
    from airloop.authoring import reproduce as again
    from airloop.config import load_pipeline

    settings = checked(pipeline)
    declared = load_pipeline(pipeline, settings)
    if other := again.made_by_others(declared, version, settings):
        console.print(other, markup=False, soft_wrap=True)
        if not anyway:
            raise typer.Exit(1)
    progress(f"training version {version} of {pipeline} again")
    found = again.reproduce(declared, version, settings)
    if found.identical:
        console.print(f"identical: {found.rows:,} predictions and all metrics of version {version}, bit for bit")
        return
    console.print(f"different: {found.differing:,} of {found.rows:,} predictions, by at most {found.largest:.3g}")
    for name, (was, now) in found.metrics.items():
        console.print(f"  {name}: {was} was recorded, {now} came out", markup=False)
    raise typer.Exit(1)
