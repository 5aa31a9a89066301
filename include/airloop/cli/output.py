"""What the commands share: consoles, tables, and the settings of a pipeline that exists."""

import errno
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from airloop.cli.terminal import PlainConsole, plain
from airloop.settings import Settings, load_settings

if TYPE_CHECKING:
    from airloop.config import Pipeline

# A pipe has no width of its own; the demo's table needs this much.
console = PlainConsole(highlight=False, width=None if sys.stdout.isatty() else 190)
errors = PlainConsole(stderr=True, highlight=False)

_ROOM, _WRITABLE = "free some room there", "make that folder one you may write to"
_REFUSALS = {errno.ENOSPC: _ROOM, errno.EDQUOT: _ROOM, errno.EFBIG: _ROOM} | dict.fromkeys(
    (errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EEXIST), _WRITABLE
)

AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """A table of text cells, ready to print; what looks like markup or a command to the terminal in a cell is text."""
    drawn = Table(*columns, header_style="bold")
    for row in rows:
        drawn.add_row(*(Text(plain(cell)) for cell in row))
    return drawn


def write_line(line: str) -> None:
    """Print one line as it is: what looks like markup is text, and a long line is not broken."""
    console.print(line, markup=False, soft_wrap=True)


def counted(many: int, word: str) -> str:
    """`1 file`, `2 files`."""
    return f"{many:,} {word}" if many == 1 else f"{many:,} {word}s"


def say(line: str) -> None:
    """Print one line of progress with the time of day (UTC)."""
    console.print(f"[dim]{datetime.now(UTC):%H:%M:%S}[/] ", end="")
    console.print(line, markup=False)


def progress(line: str) -> None:
    """`say` on stderr: stdout is kept for a record that another program reads."""
    errors.print(f"[dim]{datetime.now(UTC):%H:%M:%S}[/] ", end="")
    errors.print(line, markup=False, soft_wrap=True)


def place_refused(error: OSError) -> str:
    """What a full disk, a read-only folder and their like are told as: one line, with the way out."""
    says = " ".join(str(error).split())
    if not _stdout_takes_more():
        return f"the output cannot be written: {says}"
    if error.errno not in _REFUSALS:
        return says
    way_out, home = _REFUSALS[error.errno], load_settings().home
    if error.filename is None:
        return f"{says}, where airloop or its output is written: {way_out} (AIRLOOP_HOME is {home})"
    if not Path(error.filename).is_relative_to(home):
        return f"{says}: {way_out}"
    return f"{says}: {way_out}, or set AIRLOOP_HOME (now {home}) to another"


def _stdout_takes_more() -> bool:
    """Whether stdout can be flushed; if not, what is left in it goes nowhere, or Python's exit would complain too."""
    try:
        sys.stdout.flush()
    except OSError:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
        return False
    return True


def read_declared(pipeline: str) -> "tuple[Pipeline, Settings]":
    """The declaration of a name that a person gives, and the settings.

    Raises:
        ConfigError: See airloop.config.load_pipeline.
    """
    from airloop.config import load_pipeline

    settings = load_settings()
    return load_pipeline(pipeline, settings), settings


def checked(pipeline: str) -> Settings:
    """The settings, after making sure that the pipeline is declared, for what asks for no more than its name."""
    return read_declared(pipeline)[1]
