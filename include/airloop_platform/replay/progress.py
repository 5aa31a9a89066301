"""Progress of a replay: a live bar on a terminal; elsewhere one line per step."""

import contextlib
import time
from collections.abc import Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from airloop_platform.replay.runs import Report


@contextlib.contextmanager
def progress(console: Console, windows: int) -> Iterator[Report]:
    """A function that takes lines like `March: scoring (score)`; what stands before the colon names the window.

    A line without a colon is about no window: a note, which stays to be read.
    """
    if not console.is_terminal:
        yield _lines(console)
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as shown:
        bar = shown.add_task("starting", total=windows)
        seen_windows: list[str] = []

        def show(line: str) -> None:
            window, colon, _ = line.partition(": ")
            if not colon:
                shown.console.print(line, markup=False, soft_wrap=True)
                return
            if window not in seen_windows:
                seen_windows.append(window)
            shown.update(bar, description=line, completed=len(seen_windows) - 1)

        yield show
        shown.update(bar, completed=windows, description="done")


def _lines(console: Console) -> Report:
    steps_shown: list[str] = []
    began = time.monotonic()

    def print_step(line: str) -> None:
        step = line.split(" (", 1)[0]
        if not steps_shown or steps_shown[-1] != step:
            steps_shown.append(step)
            console.print(f"{time.monotonic() - began:6.0f} s  {step}", soft_wrap=True, markup=False)

    return print_step
