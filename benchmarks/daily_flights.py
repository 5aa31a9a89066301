"""`python -m benchmarks.daily_flights [FOLDER] [UNTIL]`: flights by the day through a real Airflow, in two worlds.

The four files of flight_delays on a daily calendar, from January to UNTIL (a Monday; default 2013-04-01): once as the
flights were, once with carriers that change places in February. The days of January are learned from; then the days of
a week are scored before their outcomes land, and each week ends in a look at two weeks. One candidate stands for the
shipped three: what is tried is when a training is asked for. A person answers the alarms of February's blizzard.

Exit code 0: the flights as they were asked for no training after the first, and the changed ones did. The same FOLDER
again goes on where it was; without one a temporary folder goes at the end.
"""

import contextlib
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from pathlib import Path

from rich.console import Console
from tests.support import flight_days

from airloop.config import load_pipeline
from airloop.records import Window
from airloop.settings import Settings, apply_quiet_environment, load_settings
from airloop_platform.replay import Period, replay, span
from airloop_platform.replay.report import summary_table
from airloop_platform.supervisor import Platform
from benchmarks.platforms import running

_REPOSITORY = Path(__file__).resolve().parents[1]


def main(folder: Path, until: str) -> int:
    """Take both worlds side by side, as many pipelines share one scheduler, and show each week."""
    began, console = time.monotonic(), Console(width=200)
    settings = _settings(folder)
    with running(settings) as platform, _side_by_side() as worlds:
        take = partial(_replayed, settings=settings, platform=platform, until=until, console=console)
        by_world = dict(zip(flight_days.WORLDS, worlds.map(take, flight_days.WORLDS), strict=True))
    for name, periods in by_world.items():
        console.print(f"\n{name}", summary_table(load_pipeline(name, settings), periods))
        weeks = ", ".join(f"{period.window.start:%d %B}" for period in _asked(periods)) or "no week"
        console.print(f"{name}: a training was asked for in {weeks}")
    console.print(f"{len(by_world)} daily pipelines until {until} in {time.monotonic() - began:.0f} s")
    return 0 if _asked(by_world[flight_days.TURNED]) and not _asked(by_world[flight_days.STAYS]) else 1


@contextlib.contextmanager
def _side_by_side() -> Iterator[Executor]:
    """A thread for each world; left, it waits for none: the platform is stopped then, and they end with it."""
    threads = ThreadPoolExecutor(len(flight_days.WORLDS))
    try:
        yield threads
    finally:
        threads.shutdown(wait=False, cancel_futures=True)


def _settings(folder: Path) -> Settings:
    if not (folder / "include").exists():
        return flight_days.write_project(folder, _REPOSITORY, **flight_days.ONE_CANDIDATE)
    return load_settings(project_dir=folder, home=folder / "home")


def _replayed(name: str, settings: Settings, platform: Platform, until: str, console: Console) -> tuple[Period, ...]:
    pipeline, began = load_pipeline(name, settings), time.monotonic()
    windows = span.windows_between(pipeline, "", until, span.reach(pipeline, settings))
    looked = [window for window in windows if window.start >= flight_days.LEARNED_UNTIL]
    learned, steps_told = Window(windows[0].start, looked[0].start), [""]

    def report(line: str) -> None:
        # A step is told again and again while it lasts, with its task.
        step = line.split(" (", 1)[0]
        if step != steps_told[-1]:
            steps_told.append(step)
            console.print(f"[dim]{time.monotonic() - began:4.0f} s[/]  {name}: {step}")
        flight_days.answer_the_blizzard(pipeline, settings)

    steps = (learned, *span.by_look(pipeline, looked, settings))
    return replay(pipeline, settings, platform, steps, report=report)


def _asked(periods: Sequence[Period]) -> tuple[Period, ...]:
    return tuple(period for period in periods if period.action and period.action.kind == "retrain")


if __name__ == "__main__":
    os.environ["TZ"] = "UTC"
    time.tzset()
    apply_quiet_environment()
    # An exit, so that the platform is stopped then, too.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(143))
    given = sys.argv[2] if len(sys.argv) > 2 else "2013-04-01"
    if len(sys.argv) > 1:
        sys.exit(main(Path(sys.argv[1]).resolve(), given))
    with tempfile.TemporaryDirectory(prefix="airloop-daily-") as scratch:
        sys.exit(main(Path(scratch) / "project", given))
