"""A replay as a person sees it: the platform's addresses at once, live progress, and the table at the end."""

import contextlib
import time
import warnings
from collections.abc import Iterator, Sequence

from rich.console import Console

from airloop.config import Pipeline, calendar_windows
from airloop.records import Window
from airloop.settings import Settings
from airloop.stores import replay_hold
from airloop_platform import supervisor
from airloop_platform.replay.anew import variables
from airloop_platform.replay.approver import Approver
from airloop_platform.replay.loop import Staged, replay
from airloop_platform.replay.period import Period
from airloop_platform.replay.progress import progress
from airloop_platform.supervisor import Platform


def replay_and_show(
    pipeline: Pipeline, windows: Sequence[Window], settings: Settings, *, console: Console, staged: Staged | None = None
) -> None:
    """Start the platform unless it runs, take the windows through it, show what happened; stop what was started.

    Raises:
        AirloopError: See airloop_platform.replay.replay.
    """
    began = time.monotonic()
    with replay_hold.hold(settings, pipeline.name), _platform(settings, console) as platform:
        airflow, mlflow = platform.logins()
        console.print(f"\n  {airflow}\n  {mlflow}\n")
        if staged and staged.approver and Approver.of(staged.approver, platform, settings) is None:
            says = f"Nobody is asked for an approval: the platform was started without a login {staged.approver}."
            console.print(f"{says} For one: airloop down, and again.", soft_wrap=True)
        with progress(console, len(windows)) as report:
            periods = replay(pipeline, settings, platform, windows, report=report, staged=staged)
    _show(pipeline, periods, settings, console)
    months = len({f"{window.start:%Y-%m}" for window in windows})
    count = sum(len(calendar_windows(pipeline.calendar, window)) for window in windows)
    length = f"{months} months" if pipeline.calendar == "monthly" else f"{count} {pipeline.calendar} windows"
    console.print(f"{length} in {time.monotonic() - began:.0f} s")


def _show(pipeline: Pipeline, periods: Sequence[Period], settings: Settings, console: Console) -> None:
    # Imported late: pandas and scikit-learn would delay the first line a person sees by seconds.
    from airloop_platform.replay import answers_compared
    from airloop_platform.replay import report as reports
    from airloop_platform.replay.counterfactual import without_retraining

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what libraries deprecate in each other is not part of the result
        without = without_retraining(pipeline, tuple(period.window for period in periods), settings)
    console.print(reports.summary_table(pipeline, periods))
    api_line = answers_compared.line(pipeline, [period.asked for period in periods if period.asked], settings)
    for line in (*reports.never_retrained_lines(pipeline, without), *filter(None, [api_line])):
        console.print(line)
    picture = reports.write_picture(pipeline, without, settings)
    console.print(f"\nreports  {settings.reports_uri}/{pipeline.name}/   picture  {picture or '-'}")
    assigned = variables(settings)
    if assigned:
        console.print(f"its home export {assigned}", soft_wrap=True)
    console.print(
        f"ledger   airloop ledger show {pipeline.name}     look around  {'airloop' if assigned else 'make'} up"
    )


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
