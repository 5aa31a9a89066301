"""The demo as a person sees it: the platform's addresses at once, live progress, and the table at the end."""

import contextlib
import time
import warnings
from collections.abc import Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from airloop.config import load_pipeline
from airloop.settings import Settings
from airloop_platform import supervisor
from airloop_platform.demo.loop import Report, demo_windows, run_demo
from airloop_platform.supervisor import Platform


def run_and_show(name: str, settings: Settings, *, months: int, console: Console) -> None:
    """Start the platform unless it runs, take the months through it, show what happened; stop what was started.

    Raises:
        AirloopError: See airloop_platform.demo.loop.run_demo.
    """
    began = time.monotonic()
    pipeline = load_pipeline(name, settings)
    windows = demo_windows(pipeline, months=months)  # a pipeline that cannot be replayed starts no platform
    with _platform(settings, console) as platform:
        airflow, mlflow = platform.logins()
        console.print(f"\n  {airflow}\n  {mlflow}\n")
        with _progress(console, len(windows)) as report:
            periods = run_demo(pipeline, settings, platform, months=months, report=report)
    # Imported late: pandas and scikit-learn would delay the first line a person sees by seconds.
    from airloop_platform.demo import report as reports
    from airloop_platform.demo.counterfactual import without_retraining

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what libraries deprecate in each other is no part of the result
        without = without_retraining(pipeline, tuple(period.window for period in periods), settings)
    console.print(reports.summary_table(pipeline, periods, without))
    for line in reports.never_retrained_lines(pipeline, without):
        console.print(line)
    picture = reports.write_picture(pipeline, without, settings)
    console.print(f"\nreports  {settings.reports_uri}/{name}/   picture  {picture or '-'}")
    console.print(f"ledger   airloop ledger show {name}     look around  make up")
    taken = len({f"{window.start:%Y-%m}" for window in windows})
    console.print(f"{taken} months in {time.monotonic() - began:.0f} s")


@contextlib.contextmanager
def _platform(settings: Settings, console: Console) -> Iterator[Platform]:
    running = supervisor.current(settings)
    if running is not None:
        yield running
        return
    try:
        yield supervisor.start_detached(settings, on_progress=lambda line: console.print(f"[dim]{line}[/]"))
    finally:
        supervisor.down(settings, on_progress=lambda _line: None)


@contextlib.contextmanager
def _progress(console: Console, windows: int) -> Iterator[Report]:
    """A live bar on a terminal; elsewhere one line per step."""
    if not console.is_terminal:
        seen: list[str] = []
        began = time.monotonic()

        def print_step(line: str) -> None:
            step = line.split(" (", 1)[0]
            if not seen or seen[-1] != step:
                seen.append(step)
                console.print(f"{time.monotonic() - began:6.0f} s  {step}")

        yield print_step
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("starting", total=windows)
        seen_windows: list[str] = []

        def show(line: str) -> None:
            window = line.split(": ", 1)[0]
            if window not in seen_windows:
                seen_windows.append(window)
            progress.update(bar, description=line, completed=len(seen_windows) - 1)

        yield show
        progress.update(bar, completed=windows, description="done")
