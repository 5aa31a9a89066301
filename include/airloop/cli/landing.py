"""Landing by hand."""

from pathlib import Path
from typing import Annotated

import typer

from airloop.cli.output import counted, read_declared, write_line

Timezone = Annotated[str | None, typer.Option(help="Clock of timestamps without an offset, like Europe/Berlin.")]
Separator = Annotated[
    str | None, typer.Option(help="What parts the columns of a CSV, like ';' or tab; default a comma.")
]
Decimal = Annotated[str | None, typer.Option(help="The decimal mark of numbers with commas: . or ,")]
TimeFormat = Annotated[
    str | None, typer.Option(help="How times are written: '%d.%m.%Y %H:%M', COLUMN=epoch_seconds; ISO 8601 needs none.")
]
ClockChange = Annotated[
    str, typer.Option(help="Times that the clocks of --timezone skip or repeat: refuse, skip (the row), first or last.")
]
Missing = Annotated[list[str] | None, typer.Option(help="A word that stands for a missing value, like NA; repeatable.")]

app = typer.Typer()


@app.command(epilog="Example: airloop land PIPELINE FEED rows.csv")
def land(
    pipeline: Annotated[str, typer.Argument(help="Name of the pipeline.")],
    feed: Annotated[str, typer.Argument(help="Name of one of its feeds.")],
    table: Annotated[Path, typer.Argument(help="A .csv or .parquet file with the feed's columns.")],
    timezone: Timezone = None,
    time_format: TimeFormat = None,
    separator: Separator = None,
    decimal: Decimal = None,
    missing: Missing = None,
    clock_change: ClockChange = "refuse",
) -> None:
    """Split a table into the feed's landing files, one per day; a day that changed becomes a correction beside it."""
    from airloop.sources.land_days import land_table
    from airloop.sources.land_dialect import Dialect

    declared, settings = read_declared(pipeline)
    dialect = Dialect(
        timezone,
        tuple(missing or ()),
        separator,
        decimal,
        time_format,
        clock_change,  # type: ignore[arg-type]
    )
    landed = land_table(declared, feed, table, dialect, settings)
    root = f"{settings.landing_uri}/{pipeline}/{feed}/"
    write_line(
        f"{counted(landed.rows, 'row')}: {counted(len(landed.new), 'new file')}, "
        f"{counted(len(landed.corrections), 'correction')}, "
        f"{landed.unchanged} as they were, below {root}"
    )
    for says in landed.skipped:
        write_line(says)
    if landed.not_declared:
        names = ", ".join(landed.not_declared)
        write_line(f"not declared by the feed, left out: {names}")
