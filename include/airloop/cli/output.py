"""What the commands share: consoles, tables, and the settings of a pipeline that exists."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.style import Style
from rich.table import Table
from rich.text import Text

from airloop.settings import Settings, load_settings
from airloop.visible_text import visible


class LiteralConsole(Console):
    """A console that prints texts as they stand, in lines and in cells: what is styled is a `Text`, made by code.

    Values, keys, names of files and columns come from data: none of their markup, links, emoji codes or escape
    sequences is interpreted, and what is not printed (control characters, marks of direction) is shown escaped.
    """

    def render_str(self, text: str, *, style: str | Style = "", **layout: Any) -> Text:
        """Every str that is printed comes through here; `markup`, `emoji` and `highlight` are ignored."""
        placed = {name: layout[name] for name in ("justify", "overflow") if name in layout}
        return Text(visible(text), style=style, **placed)


# A pipe has no width of its own; the demo's table needs this much.
console = LiteralConsole(highlight=False, width=None if sys.stdout.isatty() else 190)
errors = LiteralConsole(stderr=True, highlight=False)

AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """A table of text cells, ready to print."""
    drawn = Table(*columns, header_style="bold")
    for row in rows:
        drawn.add_row(*row)
    return drawn


def say(line: str) -> None:
    """Print one line of progress with the time of day (UTC)."""
    console.print(_time_of_day(), line)


def progress(line: str) -> None:
    """`say` on stderr: stdout is kept for a record that another program reads."""
    errors.print(_time_of_day(), line)


def _time_of_day() -> Text:
    return Text(f"{datetime.now(UTC):%H:%M:%S}", style="dim")


def checked(pipeline: str) -> Settings:
    """The settings, after making sure that the pipeline is declared."""
    from airloop.config import load_pipeline

    settings = load_settings()
    load_pipeline(pipeline, settings)
    return settings
