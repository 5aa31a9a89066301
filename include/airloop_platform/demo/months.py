"""Which windows the demo takes, and what it stages."""

from airloop.config import Pipeline, calendar_windows
from airloop.errors import ConfigError
from airloop.records import Window
from airloop.settings import Settings
from airloop_platform.demo.second_person import APPROVER
from airloop_platform.replay.loop import Staged, replay
from airloop_platform.replay.period import Period
from airloop_platform.replay.runs import Report
from airloop_platform.supervisor import Platform

_MONTHS_BEFORE_TRAINING = 2
_ASKED_ROWS = 2000


def run_demo(
    pipeline: Pipeline, settings: Settings, platform: Platform, *, months: int, report: Report
) -> tuple[Period, ...]:
    """Replay the pipeline's first `months` months (see demo_windows) as the demo stages them.

    Raises:
        ConfigError: The pipeline cannot be replayed.
        AirloopError: See airloop_platform.replay.replay.
    """
    windows = demo_windows(pipeline, months=months)
    return replay(pipeline, settings, platform, windows, report=report, staged=staged(windows))


def staged(windows: tuple[Window, ...]) -> Staged:
    """The first model is trained when two months are in, and a person insists once where nothing is gained.

    The first 2,000 rows of each window are asked about over the API before they are scored in batch. What waits for an
    approval, a second user approves (see second_person).
    """
    before = [window for window in windows if _months_between(windows[0], window) < _MONTHS_BEFORE_TRAINING]
    return Staged(first_training=before[-1], insists=True, asks_rows=_ASKED_ROWS, approver=APPROVER)


def demo_windows(pipeline: Pipeline, *, months: int) -> tuple[Window, ...]:
    """The calendar windows wholly inside `coverage` that begin in the first `months` calendar months of it.

    Raises:
        ConfigError: The pipeline declares no `replay` or no `coverage.end`, or covers no whole window.
    """
    start, end = pipeline.coverage.start, pipeline.coverage.end
    if pipeline.replay is None or end is None:
        raise ConfigError(
            f"{pipeline.name}: the demo needs `replay` and `coverage.end` in pipeline.yaml; "
            f"what has landed goes through the loop by: airloop replay {pipeline.name}"
        )
    windows = calendar_windows(pipeline.calendar, Window(start, end))
    whole = [window for window in windows if start <= window.start and window.end <= end]
    if not whole:
        raise ConfigError(f"{pipeline.name}: no whole {pipeline.calendar} window lies in the coverage [{start}, {end})")
    return tuple(window for window in whole if _months_between(whole[0], window) < months)


def _months_between(first: Window, later: Window) -> int:
    return 12 * (later.start.year - first.start.year) + later.start.month - first.start.month
