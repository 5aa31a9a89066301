"""Train a version again."""

from typing import TYPE_CHECKING, Annotated

import typer

from airloop.cli.output import console, progress, read_declared, write_line

if TYPE_CHECKING:
    from airloop.config import Pipeline
    from airloop.settings import Settings

app = typer.Typer()


@app.command(epilog="Example: airloop reproduce PIPELINE 1")
def reproduce(
    pipeline: Annotated[str, typer.Argument(help="Name of the pipeline.")],
    version: Annotated[int, typer.Argument(help="A registered version.")],
    anyway: Annotated[bool, typer.Option(help="Also with other code than it was trained by.")] = False,
    from_lake: Annotated[
        bool, typer.Option("--from-lake", help="First make its training set again, from the lake as it was.")
    ] = False,
) -> None:
    """Train a version again from its snapshot in a fresh process: `identical`, or what differs (exit code 1).

    Compared are the predictions of every holdout row and the metrics, bit for bit. Nothing is registered.
    """
    from airloop.authoring import reproduce as again

    declared, settings = read_declared(pipeline)
    if other := again.made_by_others(declared, version, settings):
        write_line(other)
        if not anyway:
            raise typer.Exit(1)
    if from_lake and not _rebuilt(declared, version, settings):
        raise typer.Exit(1)
    progress(f"training version {version} of {pipeline} again")
    result = again.reproduce(declared, version, settings)
    if result.identical:
        console.print(f"identical: {result.rows:,} predictions and all metrics of version {version}, bit for bit")
        return
    console.print(f"different: {result.differing:,} of {result.rows:,} predictions, by at most {result.largest:.3g}")
    for name, (was, now) in result.metrics.items():
        console.print(f"  {name}: {was} was recorded, {now} came out", markup=False)
    raise typer.Exit(1)


def _rebuilt(pipeline: "Pipeline", version: int, settings: "Settings") -> bool:
    from airloop.authoring.rebuilt_snapshot import rebuild
    from airloop.models.model_version import load_version

    progress(f"making the training set of version {version} again from the lake")
    rebuilt = rebuild(pipeline, load_version(pipeline, version, settings).snapshot, settings)
    read = f"{rebuilt.tables} tables at their versions"
    if rebuilt.newest:
        read += f", but for {', '.join(rebuilt.newest)}: that version is gone, and the newest was read"
    if rebuilt.problem:
        says = f"another training set: {rebuilt.problem} (read: {read}); without --from-lake the frozen one is taken"
        write_line(says)
        return False
    write_line(f"identical training set: {rebuilt.rows:,} rows from {read}")
    return True
