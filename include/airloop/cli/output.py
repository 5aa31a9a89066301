"""What the commands share: consoles, tables, and the settings of a pipeline that exists."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from airloop.settings import Settings, load_settings

# A pipe has no width of its own; the demo's table needs this much.
console = Console(highlight=False, width=None if sys.stdout.isatty() else 190)
errors = Console(stderr=True, highlight=False)

AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """A table of text cells, ready to print."""
    drawn = Table(*columns, header_style="bold")
    for row in rows:
        drawn.add_row(*row)
    return drawn


def say(line: str) -> None:
    """Print one line of progress with the time of day (UTC)."""
    console.print(f"[dim]{datetime.now(UTC):%H:%M:%S}[/] ", end="")
    console.print(line, markup=False)


def progress(line: str) -> None:
    """`say` on stderr: stdout is kept for a record that another program reads."""
    errors.print(f"[dim]{datetime.now(UTC):%H:%M:%S}[/] ", end="")
    errors.print(line, markup=False)


def checked(pipeline: str) -> Settings:
    """The settings, after making sure that the pipeline is declared."""
    from airloop.config import load_pipeline

    settings = load_settings()
    load_pipeline(pipeline, settings)
    return settings
