"""The predictions, for people and other programs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from airloop.cli.output import console, table, write_line
from airloop.errors import ConfigError
from airloop.settings import load_settings

if TYPE_CHECKING:
    from airloop.config import Pipeline
    from airloop.records import Window

_SHOWN_ROWS = 20

app = typer.Typer()


@app.command(epilog="Example: airloop predictions PIPELINE --window 2013-03-01 --out march.csv")
def predictions(
    pipeline: Annotated[str, typer.Argument(help="Name of the pipeline.")],
    window: Annotated[str, typer.Option(help="Start of one window of the calendar, a day or an instant.")] = "",
    start: Annotated[str, typer.Option("--from", help="Rows decided at or after this day or instant.")] = "",
    end: Annotated[str, typer.Option("--to", help="Rows decided before this day or instant.")] = "",
    out: Annotated[Path | None, typer.Option(help="A .csv or .parquet file to write; default a look at them.")] = None,
) -> None:
    """What was predicted, by which version, beside the outcomes that have matured."""
    from airloop.config import load_pipeline

    settings = load_settings()
    declared = load_pipeline(pipeline, settings)
    span = _span(declared, window, start, end)
    # Imports for a second: what was typed is checked first.
    from airloop.serving import predicted

    if out is not None:
        predicted.refuse_path(out)
    rows = predicted.predicted(declared, span, settings)
    summary = f"{rows.height:,} predictions of {declared.name}, {rows['outcome'].count():,} with a mature outcome"
    if out is not None:
        predicted.write(rows, out)
        write_line(f"{summary}: written to {out}")
        return
    shown = rows.head(_SHOWN_ROWS)
    console.print(table(shown.columns, [["" if cell is None else str(cell) for cell in row] for row in shown.rows()]))
    more = f", the first {shown.height} of them above; --out FILE writes all" if rows.height > shown.height else ""
    write_line(f"{summary}{more}")


def _span(pipeline: "Pipeline", window: str, start: str, end: str) -> "Window":
    """The decision times asked for; without any option all of them."""
    from airloop.config.calendar import nearest_bound, period_end
    from airloop.records import Window, parse_instant

    if window and (start or end):
        raise ConfigError("--window is one window, --from and --to are a span: give one or the other")
    if window:
        begins = parse_instant(window)
        nearest = nearest_bound(pipeline.calendar, begins)
        if nearest != begins:
            raise ConfigError(
                f"no {pipeline.calendar} window of {pipeline.name} starts at {window}; the nearest is "
                f"--window {nearest:%Y-%m-%dT%H:%M:%SZ}"
            )
        return Window(begins, period_end(pipeline.calendar, begins))
    first = parse_instant(start) if start else pipeline.coverage.start
    last = parse_instant(end) if end else first.max.replace(tzinfo=first.tzinfo)
    if first >= last:
        raise ConfigError(f"--from {start or f'{first:%Y-%m-%d}'} does not lie before --to {end}")
    return Window(first, last)
